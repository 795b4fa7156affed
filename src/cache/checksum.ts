/** XXH64 of bytes as 16 lower-case hex digits. Notices accidents in what this machine wrote; names nothing. */
export type Checksum = string & { readonly brand: 'Checksum' };

/** XXH64 (seed 0) of bytes, in the form of a Checksum. */
export type ChecksumOf = (bytes: Uint8Array) => Checksum;

/** The same of bytes that come in pieces. */
export interface RunningChecksum {
  update(piece: Uint8Array): void;
  end(): Checksum;
}

/** The checksum function. Its WebAssembly module is loaded once for the process, by whoever asks first. */
export async function loadChecksum(): Promise<ChecksumOf> {
  loading ??= load();
  return (await loading).checksumOf;
}

/** What begins a checksum of pieces, of a megabyte or less each. */
export async function loadRunningChecksum(): Promise<() => RunningChecksum> {
  loading ??= load();
  return (await loading).begin;
}

let loading: ReturnType<typeof load> | undefined;

// The module's memory grows to the largest piece it was ever given and stays so; past that size it is slower than SHA-256.
const PIECE_BYTES = 1024 * 1024;

async function load(): Promise<{ readonly checksumOf: ChecksumOf; readonly begin: () => RunningChecksum }> {
  const { default: xxhash } = await import('xxhash-wasm');
  const xx = await xxhash();
  const begin = (): RunningChecksum => {
    const state = xx.create64();
    return { update: (piece) => void state.update(piece), end: () => textOf(state.digest()) };
  };
  const checksumOf = (bytes: Uint8Array): Checksum => {
    if (bytes.length <= PIECE_BYTES) return textOf(xx.h64Raw(bytes));
    const running = begin();
    for (let start = 0; start < bytes.length; start += PIECE_BYTES) {
      running.update(bytes.subarray(start, start + PIECE_BYTES));
    }
    return running.end();
  };
  return { checksumOf, begin };
}

function textOf(value: bigint): Checksum {
  return value.toString(16).padStart(16, '0') as Checksum;
}
