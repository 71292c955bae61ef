// The part of WebAssembly that the event scanner uses, typed: the types of browsers are not loaded here.
// Source: https://webassembly.github.io/spec/js-api/

export interface WasmGlobal {
  readonly value: number
}

export interface WasmMemory {
  readonly buffer: ArrayBuffer
}

interface WasmApi {
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (
    module: object,
    imports: { readonly env: { readonly memory: WasmMemory } },
  ) => { readonly exports: unknown }
  /** Both in pages of 64 KiB. */
  readonly Memory: new (size: {
    readonly initial: number
    readonly maximum: number
  }) => WasmMemory
}

export const { WebAssembly: wasm } = globalThis as unknown as { WebAssembly: WasmApi }
