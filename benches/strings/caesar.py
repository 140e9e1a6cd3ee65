# Caesar cipher: encipher and decipher a text n times, character by character
# through its code point.

import sys

n = int(sys.argv[1]) if len(sys.argv) > 1 else 4000


def shift(text, distance):
    shifted = []
    for c in text:
        point = ord(c)
        if point >= 97 and point <= 122:
            shifted.append(chr((point - 97 + distance) % 26 + 97))
        elif point >= 65 and point <= 90:
            shifted.append(chr((point - 65 + distance) % 26 + 65))
        else:
            shifted.append(c)
    return "".join(shifted)


def main():
    text = "The quick brown fox jumps over the lazy dog; Pack my box with five dozen liquor jugs! "
    text = text * 10
    checksum = 0
    for round in range(1, n + 1):
        secret = shift(text, round % 26)
        checksum = (checksum * 7 + ord(secret[round % len(secret)])) % 1000003
        if shift(secret, 26 - round % 26) != text:
            print("wrong")
    print(secret[0:43])
    print(checksum)


main()
