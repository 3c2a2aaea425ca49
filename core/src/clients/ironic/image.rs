//! What is installed on a node, as people may see it.

use reqwest::Url;

use super::Node;

/// The longest name of an image that is told, in characters.
const LONGEST: usize = 200;

impl Node {
    /// What is, or is to be, installed on it: the image's id or name, or its address without whatever in it may be a
    /// secret. None where Ironic was told no image.
    pub fn image(&self) -> Option<String> {
        self.instance_info.get("image_source")?.as_str().map(shown)
    }
}

fn shown(source: &str) -> String {
    let shown = Url::parse(source).map_or_else(
        |_| source.to_owned(),
        |mut url| {
            // Refused by an address without a host only, and such a one has no login.
            let _ = (url.set_username(""), url.set_password(None));
            url.set_query(None);
            url.set_fragment(None);
            url.to_string()
        },
    );
    shown.chars().take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_login_and_no_signature_is_told() {
        let signed = "https://anna:canary@images.example/a.raw?signature=canary#canary";
        assert_eq!(shown(signed), "https://images.example/a.raw");
        for plain in ["debian-13", "0b1c6f3e-5d27-4a38-9e41-6a8f2c7d9b50", "file:///images/a.raw"] {
            assert_eq!(shown(plain), plain);
        }
        assert_eq!(shown(&"é".repeat(300)).chars().count(), LONGEST);
    }
}
