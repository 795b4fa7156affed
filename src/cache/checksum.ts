/** XXH64 of bytes as 16 lower-case hex digits. Notices accidents in what this machine wrote; names nothing. */
export type Checksum = string & { readonly brand: 'Checksum' };

/** XXH64 (seed 0) of bytes, in the form of a Checksum. */
export type ChecksumOf = (bytes: Uint8Array) => Checksum;

/** The checksum function. Its WebAssembly module is loaded once for the process, by whoever asks first. */
export function loadChecksum(): Promise<ChecksumOf> {
  loading ??= load();
  return loading;
}

let loading: Promise<ChecksumOf> | undefined;

// The module's memory grows to the largest piece it was ever given and stays so; past that size it is slower than SHA-256.
const PIECE_BYTES = 1024 * 1024;

async function load(): Promise<ChecksumOf> {
  const { default: xxhash } = await import('xxhash-wasm');
  const xx = await xxhash();
  return (bytes) => {
    if (bytes.length <= PIECE_BYTES) return textOf(xx.h64Raw(bytes));
    const state = xx.create64();
    for (let start = 0; start < bytes.length; start += PIECE_BYTES) {
      state.update(bytes.subarray(start, start + PIECE_BYTES));
    }
    return textOf(state.digest());
  };
}

function textOf(value: bigint): Checksum {
  return value.toString(16).padStart(16, '0') as Checksum;
}
