// Base64: encode n random bytes and decode them again, with a string for the
// alphabet and a map for its reverse; n is rounded down to a multiple of three.
"use strict";

const n = Number(process.argv[2] ?? 2000000);

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const digits = new Map();
for (let i = 0; i < alphabet.length; i++) {
  digits.set(alphabet[i], i);
}

function encode(bytes) {
  const quads = [];
  for (let i = 0; i < bytes.length; i += 3) {
    const group = bytes[i] * 65536 + bytes[i + 1] * 256 + bytes[i + 2];
    quads.push(
      alphabet[Math.floor(group / 262144)] +
        alphabet[Math.floor(group / 4096) % 64] +
        alphabet[Math.floor(group / 64) % 64] +
        alphabet[group % 64],
    );
  }
  return quads.join("");
}

function decode(text) {
  const bytes = [];
  for (let i = 0; i < text.length; i += 4) {
    const group =
      digits.get(text[i]) * 262144 +
      digits.get(text[i + 1]) * 4096 +
      digits.get(text[i + 2]) * 64 +
      digits.get(text[i + 3]);
    bytes.push(Math.floor(group / 65536));
    bytes.push(Math.floor(group / 256) % 256);
    bytes.push(group % 256);
  }
  return bytes;
}

const bytes = [];
let seed = 1;
for (let i = 0; i < n - (n % 3); i++) {
  seed = (seed * 16807) % 2147483647;
  bytes.push(seed % 256);
}
const text = encode(bytes);
const decoded = decode(text);
let checksum = 0;
for (let i = 0; i < decoded.length; i++) {
  if (decoded[i] !== bytes[i]) console.log("wrong");
  checksum = (checksum * 31 + decoded[i]) % 1000003;
}
console.log(text.slice(0, 40));
console.log(text.length);
console.log(checksum);
