//! The clock of sampling.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{JoinHandle, park_timeout};
use std::time::Duration;

use kiln_vm::safepoint::{Reason, Safepoint};

/// The time between two samples. Taking one costs some microseconds; an odd number of microseconds keeps out of step with
/// programs that do something every millisecond.
const INTERVAL: Duration = Duration::from_micros(997);

/// A thread that asks a script now and then where it stands.
pub(super) struct Sampler {
    has_ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Sampler {
    pub(super) fn start(script: Safepoint) -> Sampler {
        let has_ended = Arc::new(AtomicBool::new(false));
        let ended = has_ended.clone();
        let ask = move || {
            while !ended.load(Ordering::Relaxed) {
                park_timeout(INTERVAL);
                script.request(Reason::Sample);
            }
        };
        Sampler {
            has_ended,
            // Without a thread there are no samples, and the report says so.
            thread: std::thread::Builder::new()
                .name("kiln sampler".into())
                .spawn(ask)
                .ok(),
        }
    }
}

impl Drop for Sampler {
    fn drop(&mut self) {
        self.has_ended.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // It has nothing to tell.
            let _ = thread.join();
        }
    }
}
