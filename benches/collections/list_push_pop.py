# Lists as stacks: n times, push 1000 numbers and pop all of them but one; in
# the end pop everything that is left.

import sys

n = int(sys.argv[1]) if len(sys.argv) > 1 else 7000


def main():
    checksum = 0
    stack = []
    for round in range(1, n + 1):
        for i in range(1, 1001):
            stack.append(i * round % 256)
        for i in range(1, 1000):
            checksum = (checksum + stack.pop() * i) % 1000003
    print(len(stack))
    while len(stack) > 0:
        checksum = (checksum * 3 + stack.pop()) % 1000003
    print(checksum)


main()
