# Word frequency: make a text of n words from a skewed choice of 1000, split
# it, count the words in a map and print the most frequent ones.

import sys

n = int(sys.argv[1]) if len(sys.argv) > 1 else 1500000

SYLLABLES = ["ba", "de", "fi", "go", "ku", "la", "me", "ni", "po", "ru"]


def make_text(n):
    words = []
    seed = 1
    for _ in range(n):
        seed = seed * 16807 % 2147483647
        word = seed % 1000
        word = word * word // 1000
        words.append(SYLLABLES[word // 100] + SYLLABLES[word // 10 % 10] + SYLLABLES[word % 10])
    return " ".join(words)


def main():
    counts = {}
    for word in make_text(n).split(" "):
        if word in counts:
            counts[word] += 1
        else:
            counts[word] = 1

    words = list(counts)
    words.sort()
    print(len(words))
    for _ in range(5):
        best = words[0]
        for word in words:
            if counts[word] > counts[best]:
                best = word
        print(f"{best} {counts[best]}")
        counts[best] = 0


main()
