// Word frequency: make a text of n words from a skewed choice of 1000, split
// it, count the words in a map and print the most frequent ones.
"use strict";

const n = Number(process.argv[2] ?? 1500000);

const syllables = ["ba", "de", "fi", "go", "ku", "la", "me", "ni", "po", "ru"];

function makeText(n) {
  const words = [];
  let seed = 1;
  for (let i = 0; i < n; i++) {
    seed = (seed * 16807) % 2147483647;
    let word = seed % 1000;
    word = Math.floor((word * word) / 1000);
    words.push(
      syllables[Math.floor(word / 100)] + syllables[Math.floor(word / 10) % 10] + syllables[word % 10],
    );
  }
  return words.join(" ");
}

const counts = new Map();
for (const word of makeText(n).split(" ")) {
  if (counts.has(word)) {
    counts.set(word, counts.get(word) + 1);
  } else {
    counts.set(word, 1);
  }
}

const words = [...counts.keys()];
words.sort();
console.log(words.length);
for (let rank = 1; rank <= 5; rank++) {
  let best = words[0];
  for (const word of words) {
    if (counts.get(word) > counts.get(best)) best = word;
  }
  console.log(`${best} ${counts.get(best)}`);
  counts.set(best, 0);
}
