-- Shapes: n rounds of method calls on a mixed list of objects from a three
-- level class hierarchy, with overridden methods and calls to super.

local n = tonumber(arg[1]) or 4000

local function subclass(parent)
  local class = setmetatable({}, { __index = parent })
  class.__index = class
  return class
end

local Shape = { scale = 1 }
Shape.__index = Shape
function Shape:area()
  return 0
end
function Shape:weight()
  return self:area() * self.scale
end
function Shape:grow()
  self.scale = self.scale % 5 + 1
end

local Rectangle = subclass(Shape)
function Rectangle:new(width, height)
  return setmetatable({ scale = 1, width = width, height = height }, self)
end
function Rectangle:area()
  return self.width * self.height
end

local Frame = subclass(Rectangle)
function Frame:area()
  return Rectangle.area(self) - (self.width - 2) * (self.height - 2)
end
function Frame:grow()
  Rectangle.grow(self)
  self.width = self.width % 9 + 3
end

local Triangle = subclass(Shape)
function Triangle:new(base, height)
  return setmetatable({ scale = 1, base = base, height = height }, self)
end
function Triangle:area()
  return self.base * self.height / 2
end
function Triangle:weight()
  return Shape.weight(self) + 1
end

local shapes = {}
for i = 0, 999 do
  local kind = i % 3
  if kind == 0 then
    shapes[#shapes + 1] = Rectangle:new(i % 10 + 1, i % 7 + 1)
  elseif kind == 1 then
    shapes[#shapes + 1] = Frame:new(i % 10 + 3, i % 7 + 3)
  else
    shapes[#shapes + 1] = Triangle:new(i % 10 + 1, i % 7 + 1)
  end
end

local total = 0
for _ = 1, n do
  for _, shape in ipairs(shapes) do
    total = total + shape:weight()
    shape:grow()
  end
end
print(string.format("%d", total * 2))
