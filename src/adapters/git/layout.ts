import { createHash } from "node:crypto";
import { Failure } from "../../domain/failure.ts";
import type { CloneRef, WorkspaceRef } from "../../ports/workspaces.ts";

/**
 * Where everything of a task lies:
 *
 *     <home>/workspaces/<task>/git/<repo>.git             private bare clone, never writable to agents
 *     <home>/workspaces/<task>/<epoch>/<repo>             working directory
 *     <home>/workspaces/<task>/<epoch>/.gates/<name>/<repo>  checkout for a gate
 *     <home>/workspaces/<task>/<epoch>/.new-*             a checkout being made; renamed when whole
 *     <home>/workspaces/.views/*                          private git directories that live as long as one call
 *     <home>/mirrors/<digest of the url>.git              bare mirror of a remote repository
 *     <home>/rescued/*.bundle                             what was captured when no repository was left to keep it
 *
 * `.gates` has a dot because no repo's name begins with one.
 */
export interface Layout {
  readonly top: string;
  readonly views: string;
  readonly rescued: string;
  /** Where the mirrors of remote repositories lie. */
  readonly mirrors: string;
  mirror(url: string): string;
  task(task: string): string;
  clone(clone: CloneRef): string;
  epoch(task: string, epoch: number): string;
  work(workspace: WorkspaceRef): string;
  gate(workspace: WorkspaceRef, name: string): string;
}

const NAME = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;

/** A single path component that cannot climb, hide or look like an option. */
export function pathName(kind: string, name: string): string {
  if (!NAME.test(name) || name.endsWith(".lock"))
    throw new Failure("input/invalid", `${JSON.stringify(name)} is not a usable name for a ${kind}`);
  return name;
}

export function layoutUnder(home: string): Layout {
  const top = `${home}/workspaces`;
  const task = (name: string): string => `${top}/${pathName("task", name)}`;
  const epoch = (name: string, number: number): string => {
    if (!Number.isSafeInteger(number) || number < 0) throw new Failure("input/invalid", `${number} is not an epoch`);
    return `${task(name)}/${number}`;
  };
  return {
    top,
    views: `${top}/.views`,
    rescued: `${home}/rescued`,
    mirrors: `${home}/mirrors`,
    mirror: (url) => `${home}/mirrors/${createHash("sha256").update(url).digest("hex")}.git`,
    task,
    clone: (clone) => `${task(clone.task)}/git/${pathName("repo", clone.repo)}.git`,
    epoch,
    work: (workspace) => `${epoch(workspace.task, workspace.epoch)}/${pathName("repo", workspace.repo)}`,
    gate: (workspace, name) =>
      `${epoch(workspace.task, workspace.epoch)}/.gates/${pathName("gate", name)}/${pathName("repo", workspace.repo)}`,
  };
}

/** Where the sandbox mounts the private clone's objects, read-only. */
export const objectsInside = (clone: CloneRef): string => `/run/agentos/objects/${pathName("repo", clone.repo)}`;
