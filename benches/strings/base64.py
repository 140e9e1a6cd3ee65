# Base64: encode n random bytes and decode them again, with a string for the
# alphabet and a map for its reverse; n is rounded down to a multiple of three.

import sys

n = int(sys.argv[1]) if len(sys.argv) > 1 else 2000000

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
DIGITS = {}
for i in range(len(ALPHABET)):
    DIGITS[ALPHABET[i]] = i


def encode(data):
    quads = []
    for i in range(0, len(data), 3):
        group = data[i] * 65536 + data[i + 1] * 256 + data[i + 2]
        quads.append(
            ALPHABET[group // 262144]
            + ALPHABET[group // 4096 % 64]
            + ALPHABET[group // 64 % 64]
            + ALPHABET[group % 64]
        )
    return "".join(quads)


def decode(text):
    data = []
    for i in range(0, len(text), 4):
        group = (
            DIGITS[text[i]] * 262144
            + DIGITS[text[i + 1]] * 4096
            + DIGITS[text[i + 2]] * 64
            + DIGITS[text[i + 3]]
        )
        data.append(group // 65536)
        data.append(group // 256 % 256)
        data.append(group % 256)
    return data


def main():
    data = []
    seed = 1
    for _ in range(n - n % 3):
        seed = seed * 16807 % 2147483647
        data.append(seed % 256)
    text = encode(data)
    decoded = decode(text)
    checksum = 0
    for i in range(len(decoded)):
        if decoded[i] != data[i]:
            print("wrong")
        checksum = (checksum * 31 + decoded[i]) % 1000003
    print(text[0:40])
    print(len(text))
    print(checksum)


main()
