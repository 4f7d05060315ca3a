//! Jobs by what they are about: a place in their body and what stands there.

use serde_json::Value;
use std::str::FromStr;

/// `FIELD=VALUE`, or `/A/B/0=VALUE` with a JSON pointer (RFC 6901), whose numbers are places in lists.
/// A value that reads as a number, `true`, `false` or `null` is met by that and by the text alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Within {
    steps: Vec<String>,
    text: String,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoPlace {
    #[error("FIELD=VALUE, or /POINTER=VALUE")]
    Form,
    #[error("a pointer's `~` is followed by 0 or 1")]
    Escape,
    #[error("a name has no quotation mark and no backslash")]
    Quoted,
}

impl FromStr for Within {
    type Err = NoPlace;

    fn from_str(text: &str) -> Result<Self, NoPlace> {
        let (place, value) = text.split_once('=').ok_or(NoPlace::Form)?;
        let steps: Vec<String> = match place.strip_prefix('/') {
            Some(pointer) => pointer.split('/').map(unescaped).collect::<Result<_, _>>()?,
            None => vec![place.to_owned()],
        };
        if steps.iter().any(String::is_empty) {
            return Err(NoPlace::Form);
        }
        if steps.iter().any(|step| step.contains(['"', '\\'])) {
            return Err(NoPlace::Quoted);
        }
        Ok(Self { steps, text: value.to_owned() })
    }
}

fn unescaped(step: &str) -> Result<String, NoPlace> {
    if step.replace("~0", "").replace("~1", "").contains('~') {
        return Err(NoPlace::Escape);
    }
    Ok(step.replace("~1", "/").replace("~0", "~"))
}

impl Within {
    /// From the outermost inwards.
    pub fn steps(&self) -> &[String] {
        &self.steps
    }

    /// What may stand there, as JSON: the text, and what else it reads as.
    pub fn wanted(&self) -> [Value; 2] {
        let text = Value::String(self.text.clone());
        let read: Option<Value> = serde_json::from_str(&self.text).ok();
        let plain = read.filter(|value| !value.is_array() && !value.is_object());
        [plain.unwrap_or_else(|| text.clone()), text]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_place_is_a_field_or_a_pointer() {
        let read = |text: &str| text.parse::<Within>();
        let field = read("mail=a=b").unwrap();
        assert_eq!(
            (field.steps(), field.wanted()[1].clone()),
            (&["mail".to_owned()][..], json!("a=b"))
        );
        let deep = read("/a~1b/0/c~0=7").unwrap();
        assert_eq!(deep.steps(), ["a/b", "0", "c~"]);
        assert_eq!(deep.wanted(), [json!(7), json!("7")]);
        assert_eq!(read("x=null").unwrap().wanted()[0], json!(null));
        assert_eq!(read("x=").unwrap().wanted(), [json!(""), json!("")]);
        assert_eq!(read("x=[1]").unwrap().wanted(), [json!("[1]"), json!("[1]")]);
        for bad in ["mail", "=7", "/a//b=1", "/=1"] {
            assert_eq!(read(bad), Err(NoPlace::Form), "{bad}");
        }
        assert_eq!(read("/a~2=1"), Err(NoPlace::Escape));
        assert_eq!(read("a\"b=1"), Err(NoPlace::Quoted));
    }
}
