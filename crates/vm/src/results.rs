//! Results of an interactive session: the global `_`.

use crate::error::Fallible;
use crate::heap::Gc;
use crate::object::string::StringCell;
use crate::value::Value;
use crate::vm::Vm;

impl Vm {
    fn result_index(&mut self) -> Fallible<u32> {
        let name: Gc<StringCell> = self.intern("_")?;
        Ok(self.global_index(name))
    }

    /// Prepares for a line of a session. The last result stays readable, but as a fallback, as intrinsics are, so that
    /// [`Vm::end_line`] can tell whether the line stored a new one.
    ///
    /// # Errors
    /// Fails if the heap limit is reached.
    pub fn begin_line(&mut self) -> Fallible<()> {
        let index = self.result_index()?;
        let result = self.globals.cell(index).value.get();
        if !result.is_unassigned() {
            self.globals.unassign(index);
            self.globals.cell(index).fallback.set(result);
        }
        Ok(())
    }

    /// Ends a line of a session: the text of its result, if it had one other than null. Must run on the script stack.
    ///
    /// # Errors
    /// Fails if the text is too long or the heap limit is reached.
    pub fn end_line(&mut self) -> Fallible<Option<String>> {
        let index = self.result_index()?;
        let cell = self.globals.cell(index);
        let last = cell.fallback.replace(Value::UNASSIGNED);
        let result = cell.value.get();
        if result.is_unassigned() {
            if !last.is_unassigned() {
                self.globals.assign(index, last);
            }
            return Ok(None);
        }
        if result.is_null() {
            Ok(None)
        } else {
            self.result_text(result).map(Some)
        }
    }

    /// The names of the global variables that have values, in the order of their assignment.
    pub fn global_names(&mut self) -> Fallible<Vec<String>> {
        self.key_texts(Value::map(self.globals_map))
    }

    /// The string keys of a map and of the maps it inherits from; nothing if the value is no map.
    pub fn key_texts(&mut self, value: Value) -> Fallible<Vec<String>> {
        let mut texts = Vec::new();
        let mut at = value.as_map();
        for _ in 0..MAX_PROTOTYPES {
            let Some(map) = at else { break };
            let mut cursor = crate::object::map::EntryCursor::default();
            while let Some((key, _)) = self.map_next(map, &mut cursor) {
                if let Some(key) = key.as_string() {
                    texts.push(key.flat_str(self)?.to_owned());
                }
            }
            at = self.isa_of(map).and_then(Value::as_map);
        }
        Ok(texts)
    }
}

/// How far up the inherited keys are listed.
const MAX_PROTOTYPES: usize = 16;
