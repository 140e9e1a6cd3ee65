# Towers of Hanoi: move n discs between three pegs, each peg a list used as a
# stack.

import sys

n = int(sys.argv[1]) if len(sys.argv) > 1 else 22

pegs = [list(range(n, 0, -1)), [], []]
moves = 0
checksum = 0


def move(count, source, target, spare):
    global moves, checksum
    if count == 0:
        return
    move(count - 1, source, spare, target)
    disc = pegs[source].pop()
    pegs[target].append(disc)
    moves += 1
    checksum = (checksum * 3 + disc * (target + 1)) % 1000003
    move(count - 1, spare, target, source)


move(n, 0, 2, 1)
print(moves)
print(checksum)
print(len(pegs[2]))
