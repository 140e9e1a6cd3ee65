//! Members: reads, writes, inline caches.

use kiln_bytecode::ReadMode;

use super::calls::{invoke_inline, invoke_intrinsic_member, invokes, super_of};
use super::{
    Next, Operands, Second, Site, State, Step, continue_at, invoke_function, is_unsettled,
    shortcuts, target_of,
};
use crate::error::Fallible;
use crate::feedback::{Access, CacheEntry, FeedbackCell};
use crate::heap::Gc;
use crate::object::map::shape::ShapeId;
use crate::object::map::{MapCell, Member, Slot};
use crate::object::string::StringCell;
use crate::value::{Tag, Value};
use crate::vm::Vm;

/// What an inline cache compares: the shape of a map, a fixed number for the other kinds with members, else none.
#[inline(always)]
pub(super) fn shape_of(value: Value) -> ShapeId {
    if let Some(map) = value.as_map() {
        return map.shape();
    }
    if value.is_number() {
        ShapeId::NUMBER
    } else if value.has_tag(Tag::String) {
        ShapeId::STRING
    } else if value.has_tag(Tag::List) {
        ShapeId::LIST
    } else if value.has_tag(Tag::Function) {
        ShapeId::FUNCTION
    } else {
        ShapeId::NONE
    }
}

/// The member that the site's inline cache knows, and the map that has it.
#[inline(always)]
pub(super) fn cached_member(vm: &Vm, site: Site, object: Value) -> Option<(Value, Gc<MapCell>)> {
    let feedback = site.feedback(usize::from(site.instruction.c()));
    let shape = shape_of(object);
    if shape == ShapeId::NONE {
        return None;
    }
    let mut entry = feedback.first.get();
    if entry.shape != shape {
        entry = feedback.other_entry(shape)?;
    }
    match entry.access {
        Access::Own => {
            let map = object.as_map()?;
            Some((map.slot(entry.slot).get(), map))
        }
        Access::Inherited if entry.epoch == vm.prototype_epoch => {
            let holder = entry.holder?;
            Some((holder.slot(entry.slot).get(), holder))
        }
        _ => None,
    }
}

/// The member that the first entry of the site's inline cache leads to, if the object is a map of its shape.
#[inline(always)]
pub(super) fn first_cached_member(vm: &Vm, site: Site, object: Value) -> Option<Value> {
    let map = object.as_map()?;
    let entry = site.feedback(usize::from(site.instruction.c())).first.get();
    // No entry in use is for `NONE`.
    if entry.shape != map.shape() {
        return None;
    }
    let holder = match entry.access {
        Access::Own => map,
        Access::Inherited if entry.epoch == vm.prototype_epoch => entry.holder?,
        _ => return None,
    };
    Some(holder.slot(entry.slot).get())
}

/// Looks a member up and enters what it found into the inline cache. `Ok(None)`: the result is null.
pub(super) fn look_up_member(
    vm: &mut Vm,
    feedback: &FeedbackCell,
    object: Value,
) -> Fallible<Option<Member>> {
    let key = feedback.key_string();
    if feedback.megamorphic.get()
        && let Some(shape) = shape_for(vm, object, key)
        && let Some(entry) = vm.member_cache.find(shape, key)
        && let Some(member) = member_by(vm, entry, object, key)
    {
        feedback.record_megamorphic(entry);
        return Ok(Some(member));
    }
    let Some(member) = vm.find_member(object, key)? else {
        return Ok(None);
    };
    if let Some(entry) = cache_entry(vm, object, member) {
        if feedback.megamorphic.get() {
            vm.member_cache.insert(key, entry);
            feedback.record_megamorphic(entry);
        } else {
            feedback.record(entry);
        }
    }
    Ok(Some(member))
}

/// The inline cache entry that leads to a member just found, if it can be cached.
fn cache_entry(vm: &mut Vm, object: Value, member: Member) -> Option<CacheEntry> {
    // A site that wrote `__isa` through such an entry would not change the shape, which says what the prototype is.
    if member.key == vm.names.isa {
        return None;
    }
    let mut shape = shape_of(object);
    if shape == ShapeId::NONE {
        if member.holder != vm.types.map || !vm.dictionary_inherits(object.as_map()?, member.key) {
            return None;
        }
        shape = ShapeId::DICTIONARY;
    }
    // The member's slot is where the holder's shape has its key; the value was just read from there.
    let key_slot = |vm: &Vm, holder: Gc<MapCell>, key| vm.shapes.get(holder.shape()).find(key);
    let key = member.key;
    if let Some(map) = object.as_map()
        && map == member.holder
    {
        let slot = key_slot(vm, map, key)?;
        return Some(CacheEntry {
            shape,
            access: Access::Own,
            slot,
            epoch: 0,
            holder: None,
        });
    }
    // Every map on the way must be a prototype, whose changes start a new epoch, and have a shape, so that slots stay.
    let mut at = match object.as_map() {
        Some(map) => vm.next_on_path(map)?,
        None => vm.type_map_of(object)?,
    };
    while at != member.holder {
        if at.shape() == ShapeId::NONE || !at.is_prototype() {
            return None;
        }
        at = vm.next_on_path(at)?;
    }
    if at.shape() == ShapeId::NONE || !at.is_prototype() {
        return None;
    }
    let slot = key_slot(vm, at, key)?;
    Some(CacheEntry {
        shape,
        access: Access::Inherited,
        slot,
        epoch: vm.prototype_epoch,
        holder: Some(at),
    })
}

/// `self` of a call that has none of its own: that of the call which created the function, else null.
/// For a member access there must be one.
#[cold]
pub(super) fn outer_self(vm: &mut Vm, site: Site, for_member: bool) -> Fallible<Value> {
    vm.frames.set_next(site.next);
    let value = inherited_self(vm, site);
    if value.is_unassigned() {
        if for_member {
            return vm.undefined(vm.names.self_);
        }
        return Ok(Value::NULL);
    }
    Ok(value)
}

fn inherited_self(vm: &mut Vm, site: Site) -> Value {
    let Some(function) = site.get(0).as_function() else {
        return Value::UNASSIGNED;
    };
    // If the creator assigns `self`, it is a variable of its variable map.
    if let Some(outer) = function.outer().as_map()
        && let Some(value) = vm.map_get_interned(outer, vm.names.self_)
    {
        return value;
    }
    function.outer_self()
}

#[inline(always)]
pub(super) fn get_self(state: &mut State, instruction: Operands) -> Step {
    let site = state.site(instruction);
    let value = site.get(1);
    if !value.is_unassigned() {
        site.set(instruction.a(), value);
        return Step::Continue;
    }
    Step::Slow(slow_get_self)
}

#[cold]
#[inline(never)]
fn slow_get_self(vm: &mut Vm, next: Next) -> Step {
    let site = Site::at(vm, next);
    match outer_self(vm, site, false) {
        Ok(value) => {
            site.set(site.instruction.a(), value);
            Step::Continue
        }
        Err(throw) => Step::Throw(throw),
    }
}

#[inline(always)]
pub(super) fn get_member(state: &mut State, instruction: Operands) -> Step {
    let site = state.site(instruction);
    let object = site.get(instruction.b());
    if let Some(value) = first_cached_member(state.vm, site, object)
        && !value.is_function()
    {
        site.set(instruction.a(), value);
        return Step::Continue;
    }
    Step::Second(Second::GetMember)
}

/// `get_member` of whatever the inline cache leads to.
#[inline(always)]
pub(super) fn get_any_member(state: &mut State, instruction: Operands) -> Step {
    let site = state.site(instruction);
    let object = site.get(instruction.b());
    if let Some((value, _)) = cached_member(state.vm, site, object) {
        let Some(function) = value.as_function() else {
            site.set(instruction.a(), value);
            return Step::Continue;
        };
        if let Some(code) = function.script_code()
            && instruction.flags() == ReadMode::INVOKE.0
            // SAFETY: instances live as long as the interpreter.
            && unsafe { !(*code).self_parameter && !(*code).uses_super }
        {
            site.feedback(usize::from(instruction.c()))
                .record_target(code as usize);
            return invoke_inline(state, site, value, code, object, slow_get_member);
        }
        if function.is_intrinsic() && invokes(ReadMode(instruction.flags()), value) {
            if let Some(value) = shortcuts::property(function, object) {
                site.set(instruction.a(), value);
                return Step::Continue;
            }
            return Step::Slow(invoke_intrinsic_member);
        }
    }
    Step::Slow(slow_get_member)
}

#[inline(never)]
pub(super) fn slow_get_member(vm: &mut Vm, next: Next) -> Step {
    let site = Site::at(vm, next);
    let feedback = site.index();
    vm.frames.set_next(site.next);
    let mode = ReadMode(site.instruction.flags());
    let feedback = site.feedback(feedback);
    let mut object = site.get(site.instruction.b());
    if is_unsettled(object)
        && let Some(target) = site.code().block.invoke_path(site.position())
    {
        return continue_at(vm, site, target);
    }
    if object.is_unassigned() {
        object = match outer_self(vm, site, true) {
            Ok(object) => object,
            Err(throw) => return Step::Throw(throw),
        };
    }
    let member = match cached_member_at(vm, feedback, object) {
        Some(member) => Ok(Some(member)),
        None => look_up_member(vm, feedback, object),
    };
    match member {
        Ok(Some(member)) if invokes(mode, member.value) => match member.value.as_function() {
            Some(function) => {
                feedback.record_target(target_of(function));
                let super_value = super_of(vm, member.holder);
                invoke_function(vm, site, function, object, super_value)
            }
            None => Step::Continue,
        },
        Ok(member) => {
            site.set(
                site.instruction.a(),
                member.map_or(Value::NULL, |member| member.value),
            );
            Step::Continue
        }
        Err(throw) => match site.code().block.invoke_path(site.position()) {
            Some(target) => continue_at(vm, site, target),
            None => Step::Throw(throw),
        },
    }
}

pub(super) fn cached_member_at(vm: &Vm, feedback: &FeedbackCell, object: Value) -> Option<Member> {
    let key = feedback.key_string();
    let shape = shape_for(vm, object, key)?;
    let first = feedback.first.get();
    let entry = if first.shape == shape {
        first
    } else {
        feedback.other_entry(shape)?
    };
    member_by(vm, entry, object, key)
}

/// The shape under which a member of the object may be found in caches.
fn shape_for(vm: &Vm, object: Value, key: Gc<StringCell>) -> Option<ShapeId> {
    match shape_of(object) {
        ShapeId::NONE => vm
            .dictionary_inherits(object.as_map()?, key)
            .then_some(ShapeId::DICTIONARY),
        shape => Some(shape),
    }
}

/// The member that a cache's entry for objects of this shape leads to, if it still holds.
fn member_by(vm: &Vm, entry: CacheEntry, object: Value, key: Gc<StringCell>) -> Option<Member> {
    let holder = match entry.access {
        Access::Own => object.as_map()?,
        Access::Inherited if entry.epoch == vm.prototype_epoch => entry.holder?,
        _ => return None,
    };
    Some(Member {
        value: holder.slot(entry.slot).get(),
        holder,
        key,
    })
}

#[inline(always)]
pub(super) fn set_member(state: &mut State, instruction: Operands) -> Step {
    let site = state.site(instruction);
    let object = site.get(instruction.a());
    let value = site.get(instruction.b());
    if store_cached(
        state.vm,
        site.feedback(usize::from(instruction.c())),
        object,
        value,
    ) {
        return Step::Continue;
    }
    Step::Slow(slow_set_member)
}

/// Stores through the inline cache, if it knows the object's shape and no write barrier is due.
#[inline(always)]
pub(super) fn store_cached(vm: &Vm, feedback: &FeedbackCell, object: Value, value: Value) -> bool {
    let Some(map) = object.as_map() else {
        return false;
    };
    let shape = map.shape();
    if shape == ShapeId::NONE {
        return false;
    }
    let mut entry = feedback.first.get();
    if entry.shape != shape {
        match feedback.other_entry(shape) {
            Some(other) => entry = other,
            None => return false,
        }
    }
    match entry.access {
        Access::Own => map.set_slot_quickly(&vm.heap, entry.slot, value),
        Access::Add if map.has_room_for(entry.slot) => {
            map.add_slot_quickly(&vm.heap, ShapeId(entry.epoch), entry.slot, value)
        }
        _ => false,
    }
}

#[inline(never)]
pub(super) fn slow_set_member(vm: &mut Vm, next: Next) -> Step {
    let site = Site::at(vm, next);
    let feedback = site.index();
    vm.frames.set_next(site.next);
    let feedback = site.feedback(feedback);
    let mut object = site.get(site.instruction.a());
    let value = site.get(site.instruction.b());
    if is_unsettled(object)
        && let Some(target) = site.code().block.invoke_path(site.position())
    {
        return continue_at(vm, site, target);
    }
    if object.is_unassigned() {
        object = match outer_self(vm, site, false) {
            Ok(object) => object,
            Err(throw) => return Step::Throw(throw),
        };
    }
    let Some(map) = object.as_map() else {
        let key = Value::string(feedback.key_string());
        return match vm.set_element(object, key, value) {
            Ok(()) => Step::Continue,
            Err(throw) => Step::Throw(throw),
        };
    };
    match store_member(vm, feedback, map, value) {
        Ok(()) => Step::Continue,
        Err(throw) => Step::Throw(throw),
    }
}

/// Stores a member under the site's key and enters how into the inline cache.
pub(super) fn store_member(
    vm: &mut Vm,
    feedback: &FeedbackCell,
    map: Gc<MapCell>,
    value: Value,
) -> Fallible<()> {
    if map.is_protected() {
        return vm.set_protected(map, Value::string(feedback.key_string()), value);
    }
    let key = feedback.key_string();
    let before = map.shape();
    vm.map_set_interned(map, key, value)?;
    let after = map.shape();
    // `__isa` decides about the shape by its value: not cached. A prototype's new key starts a new epoch: neither.
    if key == vm.names.isa || after == ShapeId::NONE || (map.is_prototype() && before != after) {
        return Ok(());
    }
    let Some(slot) = vm.shapes.get(after).find(key) else {
        return Ok(());
    };
    if vm.shapes.is_watched(after, slot) {
        return Ok(());
    }
    let entry = if before == after {
        CacheEntry {
            shape: before,
            access: Access::Own,
            slot,
            epoch: 0,
            holder: None,
        }
    } else {
        CacheEntry {
            shape: before,
            access: Access::Add,
            slot,
            epoch: after.0,
            holder: None,
        }
    };
    if feedback.megamorphic.get() {
        feedback.record_megamorphic(entry);
    } else {
        feedback.record(entry);
    }
    Ok(())
}

#[inline(always)]
pub(super) fn init_member(state: &mut State, instruction: Operands) -> Step {
    let site = state.site(instruction);
    let (object, value) = (site.get(instruction.a()), site.get(instruction.b()));
    if store_cached(
        state.vm,
        site.feedback(usize::from(instruction.c())),
        object,
        value,
    ) {
        return Step::Continue;
    }
    Step::Slow(slow_set_member)
}

/// The slot of a variable in a variable map, if the site's inline cache knows it.
#[inline(always)]
pub(super) fn cached_variable(feedback: &FeedbackCell, map: Gc<MapCell>) -> Option<Slot> {
    let entry = feedback.first.get();
    (entry.shape == map.shape() && entry.access == Access::Own && entry.shape != ShapeId::NONE)
        .then_some(entry.slot)
}

/// Stores a variable through the inline cache, if it knows how.
#[inline(always)]
pub(super) fn store_variable(
    vm: &mut Vm,
    feedback: &FeedbackCell,
    map: Gc<MapCell>,
    value: Value,
) -> Fallible<()> {
    if store_cached(vm, feedback, Value::map(map), value) {
        return Ok(());
    }
    store_member(vm, feedback, map, value)
}

/// Notes where a variable map has a variable just found.
pub(super) fn note_variable(vm: &Vm, feedback: &FeedbackCell, map: Gc<MapCell>) {
    let shape = map.shape();
    // As in `cache_entry`.
    if shape != ShapeId::NONE
        && feedback.key_string() != vm.names.isa
        && let Some(slot) = vm.shapes.get(shape).find(feedback.key_string())
    {
        feedback.first.set(CacheEntry {
            shape,
            access: Access::Own,
            slot,
            epoch: 0,
            holder: None,
        });
    }
}
