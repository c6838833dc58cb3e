//! The fields of one layer: read from its text and written into it, so that what a form makes is what could have been
//! typed.

use super::LayerWord;
use super::fields::{FieldKey, KERNEL, LayerField, NO, YES};
use super::text::{attribute_of, positional};
use super::words::WORDS;
use crate::project::layer::{Kind, Layer};
use crate::project::layer_text::LayerTextError;

impl LayerField {
    /// What is written for it in this layer; `None` where it is left out. Flags are `yes` or `no`.
    pub fn written(&self, layer: &Layer) -> Option<String> {
        let text = layer.kind.to_string();
        let found = |letters: &str| attribute_of(&text, letters);
        match self.key {
            FieldKey::Place => positional(&text),
            FieldKey::PlaceOr(letters) => positional(&text).or_else(|| found(letters)),
            FieldKey::Letters(letters) => found(letters),
            FieldKey::Word(word) => Some(yes_or_no(found(word).is_some())),
            FieldKey::Without(word) => Some(yes_or_no(found(word).is_none())),
        }
    }

    /// What holds for it in this layer, written or not.
    pub fn value(&self, layer: &Layer) -> String {
        let default = || match layer.kind.fields().iter().find(|f| f.name == self.default) {
            Some(other) => other.value(layer),
            None => self.default.to_owned(),
        };
        self.written(layer).unwrap_or_else(default)
    }

    /// The layer with another value, or why there is none. A default is left out, but for the size of a kernel, which
    /// people look for.
    pub fn with(&self, layer: &Layer, value: &str) -> Result<Layer, LayerTextError> {
        let value = value.trim();
        let of_kernel = self.name == KERNEL.name && self.written(layer).is_some();
        let is_default = value == self.default && !of_kernel;
        let mut words = vec![layer.kind.word().word.to_owned()];
        for field in layer.kind.fields() {
            let kept = if field == self {
                (!is_default || field.default.is_empty()).then(|| value.to_owned())
            } else {
                field.written(layer)
            };
            words.extend(kept.and_then(|value| field.key.text(&value)));
        }
        words.extend(layer.name.iter().map(|name| format!("@{name}")));
        words.join(" ").parse()
    }
}

impl FieldKey {
    /// The word that says this value; `None` where the value is said by saying nothing.
    fn text(self, value: &str) -> Option<String> {
        match self {
            FieldKey::Place | FieldKey::PlaceOr(_) => Some(value.to_owned()),
            FieldKey::Letters(_) if matches!(value, "same" | "valid") => Some(value.to_owned()),
            FieldKey::Letters(letters) => Some(format!("{letters}{value}")),
            FieldKey::Word(word) => (value == YES).then(|| word.to_owned()),
            FieldKey::Without(word) => (value == NO).then(|| word.to_owned()),
        }
    }
}

fn yes_or_no(is_so: bool) -> String {
    if is_so { YES } else { NO }.to_owned()
}

impl Kind {
    /// Its attributes, in the order of the text.
    pub fn fields(&self) -> &'static [LayerField] {
        self.word().fields
    }

    /// Its word, as the registry has it.
    pub fn word(&self) -> &'static LayerWord {
        let text = self.to_string();
        let word = text.split(' ').next().unwrap_or_default();
        let found = WORDS.iter().find(|known| known.word == word);
        // Every kind writes a word of the registry: a test sees to it.
        found.unwrap_or(&WORDS[0])
    }
}

#[cfg(test)]
mod tests {
    use super::super::fields::FieldForm;
    use super::*;

    fn layer(text: &str) -> Layer {
        text.parse().unwrap()
    }

    fn field(layer: &Layer, name: &str) -> LayerField {
        let fields = layer.kind.fields();
        *fields.iter().find(|field| field.name == name).unwrap()
    }

    /// Another value than the one that the layer has.
    fn other(field: &LayerField, now: &str) -> &'static str {
        match field.form {
            FieldForm::Count => "7",
            FieldForm::Sizes(_) | FieldForm::Margins => "5",
            FieldForm::Padding => "same",
            FieldForm::Shape => "2x3x4",
            FieldForm::Number(_) => "0.125",
            FieldForm::Flag if now == YES => NO,
            FieldForm::Flag => YES,
        }
    }

    #[test]
    fn every_field_of_every_layer_is_read_and_written() {
        for word in WORDS {
            let before = layer(&format!("{} @here", word.example));
            assert_eq!(before.kind.word().word, word.word);
            for field in word.fields {
                let now = field.value(&before);
                let changed = field.with(&before, other(field, &now)).unwrap();
                assert_eq!(field.value(&changed), other(field, &now), "{changed}");
                assert_eq!(changed.name.as_deref(), Some("here"));
                let others = word.fields.iter().filter(|other| *other != field);
                for kept in others.filter(|kept| kept.default != field.name) {
                    assert_eq!(kept.value(&changed), kept.value(&before), "{changed}");
                }
                assert_eq!(field.with(&changed, &now).unwrap().to_string(), {
                    field.with(&before, &now).unwrap().to_string()
                });
            }
        }
    }

    /// A layer whose text has a place for a number has a field for it.
    #[test]
    fn no_word_of_an_example_is_without_a_field() {
        for word in WORDS {
            let places = word.example.split(' ').skip(1);
            let fields = word.fields.iter();
            assert!(places.count() <= fields.count(), "{}", word.word);
        }
    }

    #[test]
    fn what_is_left_out_is_said_and_stays_left_out() {
        let plain = layer("conv 8 k5");
        assert_eq!(field(&plain, "stride").value(&plain), "1");
        assert_eq!(field(&plain, "stride").written(&plain), None);
        let moved = field(&plain, "stride").with(&plain, "2").unwrap();
        assert_eq!(moved.to_string(), "conv 8 k5 s2");
        let back = field(&moved, "stride").with(&moved, "1").unwrap();
        assert_eq!(back.to_string(), "conv 8 k5");
        let kernel = field(&plain, "kernel_size").with(&plain, "3").unwrap();
        assert_eq!(kernel.to_string(), "conv 8 k3");
        let pool = layer("maxpool 3");
        assert_eq!(field(&pool, "stride").value(&pool), "3");
        assert!(field(&plain, "kernel_size").with(&plain, "x").is_err());
    }
}
