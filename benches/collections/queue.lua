-- Queue: breadth-first search through an n x n maze with random walls, with
-- the cells that wait kept in a queue (a table with an index for its front).

local n = tonumber(arg[1]) or 1200

local function make_maze(n)
  local walls = {}
  local seed = 1
  for i = 0, n * n - 1 do
    seed = seed * 16807 % 2147483647
    walls[i] = seed % 100 < 25
  end
  walls[0] = false
  return walls
end

local function search(walls, n)
  local distance = {}
  for i = 0, n * n - 1 do
    distance[i] = -1
  end
  distance[0] = 0
  local waiting = { 0 }
  local front, back = 1, 1
  while front <= back do
    local cell = waiting[front]
    waiting[front] = nil
    front = front + 1
    local steps = distance[cell] + 1
    local x = cell % n
    local neighbors = {}
    if x > 0 then neighbors[#neighbors + 1] = cell - 1 end
    if x < n - 1 then neighbors[#neighbors + 1] = cell + 1 end
    if cell >= n then neighbors[#neighbors + 1] = cell - n end
    if cell < n * (n - 1) then neighbors[#neighbors + 1] = cell + n end
    for _, neighbor in ipairs(neighbors) do
      if not walls[neighbor] and distance[neighbor] < 0 then
        distance[neighbor] = steps
        back = back + 1
        waiting[back] = neighbor
      end
    end
  end
  return distance
end

local reached = 0
local farthest = 0
local sum = 0
local distance = search(make_maze(n), n)
for i = 0, n * n - 1 do
  local steps = distance[i]
  if steps >= 0 then
    reached = reached + 1
    sum = sum + steps
    if steps > farthest then farthest = steps end
  end
end
print(reached)
print(farthest)
print(sum)
