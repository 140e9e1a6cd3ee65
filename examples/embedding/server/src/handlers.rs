//! Handlers: one script each, and a new interpreter for every request.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use kiln::{
    CodeBlock, Data, Engine, Error, Intrinsic, Limits, Record, RuntimeError, ScriptError, Value,
};
use serde::{Deserialize, Serialize};

/// What a handler is told.
#[derive(Debug, Serialize)]
pub struct Request {
    pub method: String,
    pub query: BTreeMap<String, String>,
    pub body: String,
}

impl Record for Request {}

/// What a handler may say: this, or the body alone.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Response {
    #[serde(default = "ok")]
    pub status: u16,
    #[serde(default = "plain_text", rename = "type")]
    pub content_type: String,
    pub body: String,
}

impl Record for Response {}

fn ok() -> u16 {
    200
}

fn plain_text() -> String {
    "text/plain; charset=utf-8".into()
}

impl Response {
    /// A text.
    pub fn text(status: u16, body: impl Into<String>) -> Response {
        Response {
            status,
            content_type: plain_text(),
            body: body.into(),
        }
    }
}

/// What a handler may take unless somebody says otherwise: a tenth of a second and 8 MiB.
pub const LIMITS: Limits = Limits {
    heap_bytes: 8 << 20,
    call_time: Some(Duration::from_millis(100)),
    ..Limits::UNTRUSTED
};

/// How many texts the server remembers under a name.
const MOST_TEXTS: usize = 100;

/// What handlers have asked the server to remember.
type Memory = Arc<Mutex<HashMap<String, Vec<String>>>>;

/// All handlers, ready to run on any thread.
pub struct Handlers {
    engine: Engine,
    limits: Limits,
    programs: HashMap<String, Arc<CodeBlock>>,
    intrinsics: Vec<Intrinsic>,
}

impl Handlers {
    /// Compiles all scripts in a folder. The file `hello.ms` answers requests for `/hello`.
    ///
    /// # Errors
    /// A file cannot be read, or does not compile.
    pub fn load(folder: &Path, limits: Limits) -> Result<Handlers, Error> {
        let engine = Engine::new();
        let mut programs = HashMap::new();
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            let (Some(name), Some("ms")) = (
                path.file_stem().and_then(|stem| stem.to_str()),
                path.extension().and_then(|extension| extension.to_str()),
            ) else {
                continue;
            };
            let text = std::fs::read_to_string(&path)?;
            programs.insert(name.to_owned(), engine.compile(name, &text)?);
        }
        Ok(Handlers {
            engine,
            limits,
            programs,
            intrinsics: remembering(),
        })
    }

    /// Answers a request, whatever the script does.
    pub fn respond(&self, name: &str, request: Request) -> Response {
        let Some(program) = self.programs.get(name) else {
            return Response::text(404, "There is no such page.\n");
        };
        match self.run(program, request) {
            Ok(response) => response,
            Err(error) => explain(&error),
        }
    }

    fn run(&self, program: &Arc<CodeBlock>, request: Request) -> Result<Response, Error> {
        let builder = self.engine.interpreter().limits(self.limits);
        let made = builder.intrinsics(self.intrinsics.iter().cloned()).build();
        let mut interpreter = made.map_err(|error| Error::message(error.to_string()))?;
        // The top level gets as much time as the call: it might be the script's endless loop.
        interpreter.start(program)?;
        if !interpreter
            .run_for(self.limits.call_time.unwrap_or(Duration::MAX))?
            .is_done()
        {
            return Err(RuntimeError::TimeUp.into());
        }
        match interpreter.call("respond", (request,))? {
            Value::String(body) => Ok(Response::text(200, body)),
            other => {
                interpreter.set_global("response", other)?;
                interpreter.global("response")
            }
        }
    }
}

/// What to say instead of what a script has failed to say.
fn explain(error: &Error) -> Response {
    let status = match error {
        Error::Script(ScriptError { error, .. }) => match error {
            RuntimeError::TimeUp => 503,
            RuntimeError::OutOfMemory(_) | RuntimeError::StringTooLarge => 507,
            _ => 500,
        },
        _ => 500,
    };
    Response::text(status, format!("{error}\n"))
}

/// The intrinsics with which handlers leave texts to those who come after them.
fn remembering() -> Vec<Intrinsic> {
    let memory = Memory::default();
    let writing = memory.clone();
    let remember = Intrinsic::new("remember", move |call| {
        let (name, text): (String, String) = (call.argument(0)?, call.argument(1)?);
        let mut memory = writing.lock().unwrap_or_else(PoisonError::into_inner);
        let texts = memory.entry(name).or_default();
        if texts.len() == MOST_TEXTS {
            texts.remove(0);
        }
        texts.push(text);
        Ok(())
    })
    .parameter("name")
    .parameter("text")
    .help("keeps a text for later requests");
    let recall = Intrinsic::new("recall", move |call| {
        let name: String = call.argument(0)?;
        let memory = memory.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(Data(memory.get(&name).cloned().unwrap_or_default()))
    })
    .parameter("name")
    .help("the texts that were kept under a name");
    vec![remember, recall]
}
