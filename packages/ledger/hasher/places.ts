// AssemblyScript (https://www.assemblyscript.org), part of sha256-lanes.wasm: see sha256-lanes.ts.
// What stands in memory, below what JavaScript puts there; every vector has one word of each of the four lanes.

/** The eight words of the initial hash value; those of the hash as it grows. */
export const initial: usize = memory.data(32, 16)
export const state: usize = memory.data(128, 16)
/** The 64 words of the message schedule, and the 64 constants, the same in each lane. */
export const schedule: usize = memory.data(1024, 16)
export const constants: usize = memory.data(1024, 16)
/** For each lane the end of its message with the padding: at most two blocks, and room behind them. */
export const tails: usize = memory.data(1024, 16)
export const TAIL_BYTES: usize = 256
