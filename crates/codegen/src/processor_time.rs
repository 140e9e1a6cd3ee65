//! How long a thread has worked, which is what a compilation costs however busy the machine is.

use std::time::Duration;

/// The processor time of the current thread; zero if the system does not tell.
pub fn of_this_thread() -> Duration {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the call writes the structure it is given and nothing else.
    let status = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    match (
        status,
        u64::try_from(time.tv_sec),
        u32::try_from(time.tv_nsec),
    ) {
        (0, Ok(seconds), Ok(nanoseconds)) => Duration::new(seconds, nanoseconds),
        _ => Duration::ZERO,
    }
}
