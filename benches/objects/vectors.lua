-- Vectors: a small class of 3D vectors whose operations return new objects;
-- n times, turn a frame of reference a little and carry a point along.

local n = tonumber(arg[1]) or 500000

local Vector = {}
Vector.__index = Vector

function Vector.new(x, y, z)
  return setmetatable({ x = x, y = y, z = z }, Vector)
end

function Vector:plus(other)
  return Vector.new(self.x + other.x, self.y + other.y, self.z + other.z)
end

function Vector:times(factor)
  return Vector.new(self.x * factor, self.y * factor, self.z * factor)
end

function Vector:dot(other)
  return self.x * other.x + self.y * other.y + self.z * other.z
end

function Vector:cross(other)
  return Vector.new(
    self.y * other.z - self.z * other.y,
    self.z * other.x - self.x * other.z,
    self.x * other.y - self.y * other.x
  )
end

function Vector:length()
  return math.sqrt(self:dot(self))
end

function Vector:normalized()
  return self:times(1 / self:length())
end

local axis = Vector.new(1, 2, 3):normalized()
local heading = Vector.new(1, 0, 0)
local position = Vector.new(0, 0, 0)
for _ = 1, n do
  heading = heading:plus(axis:cross(heading):times(0.001)):normalized()
  position = position:plus(heading:times(0.01))
end
print(string.format("%d", math.floor(position.x * 1000000)))
print(string.format("%d", math.floor(position.y * 1000000)))
print(string.format("%d", math.floor(position.z * 1000000)))
