//! Data: whatever `serde` can handle, as script values.

mod error;
mod read;
mod write;

use serde::Serialize;
use serde::de::DeserializeOwned;

pub use error::DataError;

use crate::context::Context;
use crate::convert::{FromValue, IntoValue};
use crate::error::Error;
use crate::value::Value;

/// Values may lie in each other as deep as this. It also ends the conversion of values that contain themselves.
const MAX_DEPTH: usize = 128;

/// Any data that `serde` can handle, on its way into a script or out of it.
///
/// Structs and maps become maps, sequences and tuples lists, options null or what they hold, booleans 1 or 0, variants of an enum their
/// names, or a map of one entry if they hold something; `serde`'s attributes say otherwise where that is wanted. For
/// types of your own there is [`Record`].
///
/// ```
/// use std::collections::BTreeMap;
/// use kiln::{Data, Engine};
///
/// let engine = Engine::new();
/// let mut interpreter = engine.interpreter().build()?;
/// let stock = BTreeMap::from([("apples", (3, 0.5)), ("plums", (12, 0.2))]);
/// interpreter.set_global("stock", Data(&stock))?;
/// let program = "total = {}\nfor item in stock\ntotal[item.key] = {\"price\": item.value[0] * item.value[1]}\nend for";
/// interpreter.run(&engine.compile("total.ms", program)?)?;
/// let Data(total) = interpreter.global::<Data<serde_json::Value>>("total")?;
/// assert_eq!(total["apples"]["price"], 1.5);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Data<T>(pub T);

impl<T: Serialize> IntoValue for Data<T> {
    fn into_value(self, context: &mut Context<'_>) -> Result<Value, Error> {
        write::to_value(&self.0, context)
    }
}

impl<T: DeserializeOwned> FromValue for Data<T> {
    fn from_value(value: Value, context: &mut Context<'_>) -> Result<Data<T>, Error> {
        read::from_value(value, context).map(Data)
    }
}

/// Types of your own that scripts get as maps: declare it, and let `serde` see to the rest.
///
/// A reference to a record becomes a value, too. On the way back numbers must fit the fields, fields may be inherited through `__isa`,
/// and an error names the place where it is:
///
/// ```
/// use kiln::{Engine, Record};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Debug, PartialEq, Serialize, Deserialize)]
/// struct Item { name: String, weight: f64 }
///
/// #[derive(Debug, PartialEq, Serialize, Deserialize)]
/// struct Player { level: u8, items: Vec<Item>, guild: Option<String> }
///
/// impl Record for Player {}
///
/// let engine = Engine::new();
/// let mut interpreter = engine.interpreter().build()?;
/// let lamp = Item { name: "lamp".into(), weight: 1.5 };
/// interpreter.set_global("player", Player { level: 1, items: vec![lamp], guild: None })?;
/// let program = "player.level += 1\nplayer.items.push {\"name\": \"rope\", \"weight\": 4}";
/// interpreter.run(&engine.compile("shop.ms", program)?)?;
/// let player: Player = interpreter.global("player")?;
/// assert_eq!((player.level, player.items[1].name.as_str()), (2, "rope"));
///
/// interpreter.run(&engine.compile("broken.ms", "player.items[1].weight = \"heavy\"")?)?;
/// let error = interpreter.global::<Player>("player").unwrap_err();
/// assert_eq!(error.to_string(), "items[1].weight: invalid type: string \"heavy\", expected f64");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Record {}

impl<T: Record> Record for &T {}

impl<T: Record + Serialize> IntoValue for T {
    fn into_value(self, context: &mut Context<'_>) -> Result<Value, Error> {
        write::to_value(&self, context)
    }
}

impl<T: Record + DeserializeOwned> FromValue for T {
    fn from_value(value: Value, context: &mut Context<'_>) -> Result<T, Error> {
        read::from_value(value, context)
    }
}
