# String building: n times, grow a line to 2000 characters by appending one
# digit at a time, then look at a few of them.

import sys

n = int(sys.argv[1]) if len(sys.argv) > 1 else 2000


def build(round):
    line = ""
    for i in range(2000):
        line = line + str((i + round) % 10)
    return line


def main():
    checksum = 0
    for round in range(1, n + 1):
        line = build(round)
        checksum = (checksum + len(line) + int(line[round % 2000]) * round) % 1000003
    print(checksum)


main()
