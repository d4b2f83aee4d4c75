import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

/**
 * The daemon serves the result under `Content-Security-Policy: default-src 'self'`: every script, style and image must
 * be a file of its own, so nothing is inlined.
 */
export default defineConfig({
  root: import.meta.dirname,
  plugins: [react()],
  build: {
    outDir: "dist",
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: "es2022",
  },
  // `vite web` while working on the page: the API comes from the daemon that runs.
  server: { proxy: { "/api": { target: "http://127.0.0.1:8000", changeOrigin: true } } },
});
