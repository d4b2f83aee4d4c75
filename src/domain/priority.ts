/** How soon a task is wanted, least first. */
export const PRIORITIES = ["low", "normal", "high", "urgent"] as const;
export type Priority = (typeof PRIORITIES)[number];

export const rankOf = (priority: Priority): number => PRIORITIES.indexOf(priority);

export const isPriority = (value: unknown): value is Priority => PRIORITIES.some((one) => one === value);
