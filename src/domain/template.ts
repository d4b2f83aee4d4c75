/** A ready-made kind of task, chosen when a task's title is its name and no agent is named. */
export interface Template {
  readonly name: string;
  readonly intent: string;
  readonly agent: "gates";
}

export const SHIPPED_TEMPLATES: readonly Template[] = [
  {
    name: "Run tests and generate report",
    intent: "Run the project's gates on the current commit and store what they say as a report. Nothing is changed.",
    agent: "gates",
  },
];

const folded = (text: string): string => text.trim().toLowerCase().replace(/\s+/g, " ");

export const templateNamed = (title: string): Template | null =>
  SHIPPED_TEMPLATES.find(({ name }) => folded(name) === folded(title)) ?? null;
