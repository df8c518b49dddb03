// Reads the page's downloads: a zip of uncompressed entries, with safetensors inside. Does not
// share code with the program, so that a bug in its writers cannot go unnoticed.

/** Entries of a zip archive, name to bytes. */
export function unzip(bytes) {
  // The end record is the last 22 bytes, as the archive has no comment.
  const end = bytes.length - 22;
  if (end < 0 || bytes.readUInt32LE(end) !== 0x06054b50) throw new Error("zip: no end record");
  const entries = new Map();
  let at = bytes.readUInt32LE(end + 16);
  for (let left = bytes.readUInt16LE(end + 10); left > 0; left -= 1) {
    if (bytes.readUInt32LE(at) !== 0x02014b50) throw new Error(`zip: no entry at byte ${at}`);
    const method = bytes.readUInt16LE(at + 10);
    const [packed, size] = [bytes.readUInt32LE(at + 20), bytes.readUInt32LE(at + 24)];
    const lengths = [28, 30, 32].map((field) => bytes.readUInt16LE(at + field));
    const name = bytes.toString("utf8", at + 46, at + 46 + lengths[0]);
    if (method !== 0 || packed !== size) throw new Error(`zip: ${name} is compressed`);
    // The local header's name and extra fields may be longer than the directory's.
    const local = bytes.readUInt32LE(at + 42);
    const start = local + 30 + bytes.readUInt16LE(local + 26) + bytes.readUInt16LE(local + 28);
    const content = bytes.subarray(start, start + size);
    if (crc32(content) !== bytes.readUInt32LE(at + 16)) throw new Error(`zip: ${name}: wrong CRC`);
    entries.set(name, content);
    at += 46 + lengths[0] + lengths[1] + lengths[2];
  }
  return entries;
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

function crc32(bytes) {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = CRC_TABLE[(crc ^ byte) & 255] ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

const HALVES = Float32Array.from({ length: 65536 }, (_, bits) => {
  const sign = bits & 0x8000 ? -1 : 1;
  const [exponent, fraction] = [(bits >> 10) & 31, bits & 1023];
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
});

/** Tensors of an F16 safetensors file, name to `{shape, values}`. */
export function tensors(bytes) {
  const start = 8 + Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.toString("utf8", 8, start));
  delete header.__metadata__;
  return new Map(
    Object.entries(header).map(
      ([
        name,
        {
          dtype,
          shape,
          data_offsets: [from, to],
        },
      ]) => {
        if (dtype !== "F16") throw new Error(`${name}: expected F16, found ${dtype}`);
        const values = new Float32Array((to - from) / 2);
        for (let i = 0; i < values.length; i += 1) {
          values[i] = HALVES[bytes.readUInt16LE(start + from + 2 * i)];
        }
        return [name, { shape, values }];
      },
    ),
  );
}

/** Largest difference between two sets of tensors, relative to the largest weight of `expected`. */
export function largestDifference(found, expected) {
  const names = (set) => [...set.keys()].sort().join("\n");
  if (names(found) !== names(expected)) throw new Error("the adapters' tensor names differ");
  let [difference, largest] = [0, 0];
  for (const [name, { shape, values }] of expected) {
    const other = found.get(name);
    if (String(other.shape) !== String(shape)) {
      throw new Error(`${name}: expected shape ${shape}, found ${other.shape}`);
    }
    values.forEach((value, i) => {
      const apart = Math.abs(value - other.values[i]);
      if (!Number.isFinite(apart)) throw new Error(`${name}: value ${i} is ${other.values[i]}`);
      difference = Math.max(difference, apart);
      largest = Math.max(largest, Math.abs(value));
    });
  }
  if (largest === 0) throw new Error("the expected adapter is all zero");
  return difference / largest;
}
