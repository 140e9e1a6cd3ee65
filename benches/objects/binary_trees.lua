-- Binary trees: build and walk many short-lived complete trees up to depth n
-- while one tree stays alive.

local n = tonumber(arg[1]) or 15

local function make_tree(depth)
  if depth == 0 then return { left = nil, right = nil } end
  return { left = make_tree(depth - 1), right = make_tree(depth - 1) }
end

local function count_nodes(tree)
  if tree.left == nil then return 1 end
  return 1 + count_nodes(tree.left) + count_nodes(tree.right)
end

local long_lived = make_tree(n)
for depth = 4, n, 2 do
  local trees = math.floor(2 ^ (n - depth + 4))
  local nodes = 0
  for _ = 1, trees do
    nodes = nodes + count_nodes(make_tree(depth))
  end
  print(trees .. " trees of depth " .. depth .. ": " .. nodes)
end
print(count_nodes(long_lived))
