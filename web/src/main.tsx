import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { PageView } from "./page.tsx";

const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no element #root");
createRoot(root).render(
  <StrictMode>
    <PageView />
  </StrictMode>,
);
