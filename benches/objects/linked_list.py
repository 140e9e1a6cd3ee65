# Linked list: n times, push 1000 numbers to the front of a list object,
# reverse it, drop the odd ones and add up the rest.

import sys

n = int(sys.argv[1]) if len(sys.argv) > 1 else 3500


class Node:
    def __init__(self, value, next):
        self.value = value
        self.next = next


class LinkedList:
    def __init__(self):
        self.head = None

    def push_front(self, value):
        self.head = Node(value, self.head)

    def reverse(self):
        reversed = None
        node = self.head
        while node is not None:
            following = node.next
            node.next = reversed
            reversed = node
            node = following
        self.head = reversed

    def drop_odd(self):
        while self.head is not None and self.head.value % 2 == 1:
            self.head = self.head.next
        node = self.head
        while node is not None and node.next is not None:
            if node.next.value % 2 == 1:
                node.next = node.next.next
            else:
                node = node.next

    def sum(self):
        total = 0
        node = self.head
        while node is not None:
            total += node.value
            node = node.next
        return total


def main():
    checksum = 0
    for round in range(1, n + 1):
        numbers = LinkedList()
        for i in range(1, 1001):
            numbers.push_front((i * round) % 10007)
        numbers.reverse()
        numbers.drop_odd()
        checksum = (checksum * 31 + numbers.sum()) % 1000003
    print(checksum)


main()
