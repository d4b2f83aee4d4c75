/** What a list of tasks can be ordered by. Where two are equal, their ids decide, so the order is always the same. */
export const TASK_ORDERS = ["created", "updated", "title", "status"] as const;
export type TaskOrder = (typeof TASK_ORDERS)[number];

export const DIRECTIONS = ["desc", "asc"] as const;
export type Direction = (typeof DIRECTIONS)[number];
