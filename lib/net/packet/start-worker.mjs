// Where threads of ours begin, before `entry`. Plain JavaScript: Node's cache of compiled code, which spares a process
// the TypeScript stripper (30 MB), is switched on for each thread by itself, and before the first TypeScript is loaded.
import * as module from "node:module";
import { workerData } from "node:worker_threads";

if (workerData.compileCache !== null) module.enableCompileCache?.(workerData.compileCache);
await import(workerData.entry);
