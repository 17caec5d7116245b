/**
 * Draws templates/client/icons/*.png from one mark: a tile with a signal at its corner.
 *
 *   node scripts/icons.mjs
 *
 * No browser and no image library: the mark is two shapes whose distance to any point is a short formula (a signed
 * distance field), so each pixel's coverage can be computed, and a PNG is only deflate and a checksum. The numbers
 * are those of icons/favicon.svg, on a field of 64 by 64.
 */
import { writeFileSync } from "node:fs";
import { deflateSync } from "node:zlib";

const FIELD = [0x0b, 0x5d, 0x4e];
const LINE = [0xea, 0xf3, 0xee];
const SIGNAL = [0xff, 0xb5, 0x2e];

const folder = new URL("../templates/client/icons/", import.meta.url);

const icons = {
  "icon-192.png": { size: 192, corner: 15 },
  "icon-512.png": { size: 512, corner: 15 },
  // Android cuts a maskable icon to its own shape: full-bleed, and the mark inside the middle 80 %.
  "maskable-512.png": { size: 512, zoom: 0.82 },
  // iOS rounds the corners itself and paints transparency black.
  "apple-touch-180.png": { size: 180 },
  // Android takes only the opacity of a badge, and colours it itself.
  "badge-96.png": { size: 96, zoom: 1.55, mono: true },
};

for (const [name, icon] of Object.entries(icons)) {
  const png = encode(icon.size, draw(icon));
  writeFileSync(new URL(name, folder), png);
  console.log(`${name} ${png.length} bytes`);
}

function draw({ size, corner, zoom = 1, mono = false }) {
  const pixels = Buffer.alloc(size * size * 4);
  const unit = 64 / size;
  for (let row = 0; row < size; row += 1) {
    for (let column = 0; column < size; column += 1) {
      const x = (column + 0.5) * unit;
      const y = (row + 0.5) * unit;
      // The mark is a little off the field's middle, and so is what it is zoomed about.
      const markX = zoom === 1 ? x : (x - 32) / zoom + 34;
      const markY = zoom === 1 ? y : (y - 32) / zoom + 31;
      const soft = unit / zoom;
      const line = coverage(tile(markX, markY), soft);
      const signal = coverage(Math.hypot(markX - 45, markY - 20) - 8, soft);
      const field = corner === undefined ? 1 : coverage(box(x - 32, y - 32, 32, corner), unit);
      const colour = mono ? [255, 255, 255] : mix(mix(FIELD, LINE, line), SIGNAL, signal);
      const alpha = mono ? Math.max(line, signal) : field;
      pixels.set([...colour.map(Math.round), Math.round(alpha * 255)], (row * size + column) * 4);
    }
  }
  return pixels;
}

/** Distance to the stroked outline of the tile, which is open at the corner where the signal sits. */
function tile(x, y) {
  const outline = Math.abs(box(x - 32, y - 33, 17, 7));
  const inGap = x > 31 && y < 34;
  const toEnds = Math.min(Math.hypot(x - 31, y - 16), Math.hypot(x - 49, y - 34));
  return (inGap ? toEnds : outline) - 2.5;
}

/** Distance to a square of the given half side with rounded corners. */
function box(x, y, half, radius) {
  const dx = Math.abs(x) - half + radius;
  const dy = Math.abs(y) - half + radius;
  return Math.hypot(Math.max(dx, 0), Math.max(dy, 0)) + Math.min(Math.max(dx, dy), 0) - radius;
}

function coverage(distance, unit) {
  return Math.min(1, Math.max(0, 0.5 - distance / unit));
}

function mix(under, over, amount) {
  return under.map((value, index) => value + (over[index] - value) * amount);
}

// ------------------------------------------------------------------------------------------------------- the PNG

function encode(size, pixels) {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(size, 0);
  header.writeUInt32BE(size, 4);
  header.set([8, 6, 0, 0, 0], 8); // 8 bits, RGBA
  // Each row begins with its filter. 0, "none", packs a flat drawing better than the others do.
  const rows = Buffer.alloc(size * (size * 4 + 1));
  for (let row = 0; row < size; row += 1) {
    pixels.copy(rows, row * (size * 4 + 1) + 1, row * size * 4, (row + 1) * size * 4);
  }
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const data = deflateSync(rows, { level: 9 });
  return Buffer.concat([
    signature,
    chunk("IHDR", header),
    chunk("IDAT", data),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, checksum]);
}

/** CRC-32 as in PNG and zip. `node:zlib` has it from Node 22 on; this runs on 20 too. */
function crc32(bytes) {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}
