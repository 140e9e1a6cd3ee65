-- Linked list: n times, push 1000 numbers to the front of a list object,
-- reverse it, drop the odd ones and add up the rest.

local n = tonumber(arg[1]) or 3500

local LinkedList = {}
LinkedList.__index = LinkedList

function LinkedList.new()
  return setmetatable({ head = nil }, LinkedList)
end

function LinkedList:push_front(value)
  self.head = { value = value, next = self.head }
end

function LinkedList:reverse()
  local reversed = nil
  local node = self.head
  while node ~= nil do
    local following = node.next
    node.next = reversed
    reversed = node
    node = following
  end
  self.head = reversed
end

function LinkedList:drop_odd()
  while self.head ~= nil and self.head.value % 2 == 1 do
    self.head = self.head.next
  end
  local node = self.head
  while node ~= nil and node.next ~= nil do
    if node.next.value % 2 == 1 then
      node.next = node.next.next
    else
      node = node.next
    end
  end
end

function LinkedList:sum()
  local total = 0
  local node = self.head
  while node ~= nil do
    total = total + node.value
    node = node.next
  end
  return total
end

local checksum = 0
for round = 1, n do
  local numbers = LinkedList.new()
  for i = 1, 1000 do
    numbers:push_front((i * round) % 10007)
  end
  numbers:reverse()
  numbers:drop_odd()
  checksum = (checksum * 31 + numbers:sum()) % 1000003
end
print(checksum)
