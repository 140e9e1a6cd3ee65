// Caesar cipher: encipher and decipher a text n times, character by character
// through its code point.
"use strict";

const n = Number(process.argv[2] ?? 4000);

function shift(text, distance) {
  const shifted = [];
  for (const c of text) {
    const point = c.codePointAt(0);
    if (point >= 97 && point <= 122) {
      shifted.push(String.fromCodePoint(((point - 97 + distance) % 26) + 97));
    } else if (point >= 65 && point <= 90) {
      shifted.push(String.fromCodePoint(((point - 65 + distance) % 26) + 65));
    } else {
      shifted.push(c);
    }
  }
  return shifted.join("");
}

let text = "The quick brown fox jumps over the lazy dog; Pack my box with five dozen liquor jugs! ";
text = text.repeat(10);
let checksum = 0;
let secret;
for (let round = 1; round <= n; round++) {
  secret = shift(text, round % 26);
  checksum = (checksum * 7 + secret.codePointAt(round % secret.length)) % 1000003;
  if (shift(secret, 26 - (round % 26)) !== text) console.log("wrong");
}
console.log(secret.slice(0, 43));
console.log(checksum);
