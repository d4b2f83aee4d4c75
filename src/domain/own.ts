/** What stands in a record under a name that somebody chose; `constructor` and the like, which every object has, are names like any other. */
export const own = <T>(record: Readonly<Record<string, T>>, name: string): T | undefined =>
  Object.hasOwn(record, name) ? record[name] : undefined;
