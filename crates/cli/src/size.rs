//! Sizes in bytes, as people write them.

/// Reads a number of bytes: `4096`, `64K`, `512M`, `2G`; a `B` or `iB` behind the unit changes nothing.
pub fn parse(text: &str) -> Result<usize, String> {
    let digits = text.trim_end_matches(|character: char| character.is_ascii_alphabetic());
    let shift = match text[digits.len()..].to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 10,
        "m" | "mb" | "mib" => 20,
        "g" | "gb" | "gib" => 30,
        _ => return Err("the unit must be K, M or G".into()),
    };
    let number: usize = digits
        .parse()
        .map_err(|_| "a number such as 512M is expected".to_string())?;
    number
        .checked_mul(1 << shift)
        .ok_or_else(|| "too large".into())
}

/// Writes a number of bytes in a unit that fits.
pub fn format(bytes: u64) -> String {
    for (unit, shift) in [("GiB", 30), ("MiB", 20), ("KiB", 10)] {
        if bytes >> shift >= 10 {
            return format!("{} {unit}", bytes >> shift);
        }
    }
    format!("{bytes} bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_multiply() {
        assert_eq!(parse("4096"), Ok(4096));
        assert_eq!(parse("64K"), Ok(64 << 10));
        assert_eq!(parse("512m"), Ok(512 << 20));
        assert_eq!(parse("2GiB"), Ok(2 << 30));
    }

    #[test]
    fn other_texts_are_no_sizes() {
        for text in [
            "",
            "M",
            "1.5G",
            "-1",
            "5X",
            "99999999999999999999",
            "17179869184G",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn small_sizes_are_exact() {
        assert_eq!(format(9999), "9999 bytes");
        assert_eq!(format(20 << 20), "20 MiB");
    }
}
