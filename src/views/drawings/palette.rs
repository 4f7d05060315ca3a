//! The paints of a drawing. The light comes from above, the ground is the same for all.

/// Six tones, light to dark for body and accent, and the ground they stand on.
pub(super) struct Palette {
    pub(super) ground: [&'static str; 2],
    pub(super) body: [&'static str; 3],
    pub(super) accent: [&'static str; 2],
    pub(super) bright: [&'static str; 2],
}

const LIME: [&str; 2] = ["#e6f25c", "#c3d92f"];
const ORANGE: [&str; 2] = ["#ff9d4d", "#f0742a"];

pub(super) const PALETTES: &[Palette] = &[
    Palette {
        ground: ["#f7f5f0", "#e7e2d7"],
        body: ["#2f8a76", "#14634f", "#0b4537"],
        accent: ["#f3b54a", "#d98f1c"],
        bright: LIME,
    },
    Palette {
        ground: ["#f2f5f7", "#dde4e9"],
        body: ["#4a7fb5", "#285a8e", "#1a4069"],
        accent: ["#f08a5d", "#d5623a"],
        bright: ORANGE,
    },
    Palette {
        ground: ["#f8f4ef", "#eadfd2"],
        body: ["#e07a4f", "#c0552b", "#8f3c1c"],
        accent: ["#4d6c7a", "#2f4a56"],
        bright: ORANGE,
    },
    Palette {
        ground: ["#f6f5f1", "#e5e3d9"],
        body: ["#f2c14e", "#dba01f", "#a87510"],
        accent: ["#4b5157", "#2e3338"],
        bright: LIME,
    },
    Palette {
        ground: ["#f4f4f6", "#e1e0e8"],
        body: ["#7a78a8", "#545285", "#3b3a62"],
        accent: ["#7fcfb8", "#48a78d"],
        bright: LIME,
    },
    Palette {
        ground: ["#f5f2f0", "#e6dcd8"],
        body: ["#b8525a", "#8f323c", "#682129"],
        accent: ["#e9c48d", "#cfa05d"],
        bright: ORANGE,
    },
    Palette {
        ground: ["#f1f5f3", "#dae5df"],
        body: ["#7d8b93", "#56636b", "#3b464d"],
        accent: ["#57b894", "#2c8d6b"],
        bright: LIME,
    },
    Palette {
        ground: ["#f3f6f7", "#dbe6e8"],
        body: ["#45a3ad", "#21757f", "#14525a"],
        accent: ["#f4d06f", "#d9ac38"],
        bright: ORANGE,
    },
];

/// For what has no picture: quiet on a light ground and on a dark one.
pub(super) const QUIET: Palette = Palette {
    ground: ["#f3f1eb", "#f3f1eb"],
    body: ["#b5b0a5", "#98938a", "#7b776e"],
    accent: ["#a39e93", "#868177"],
    bright: ["#bdb8ac", "#a19c91"],
};

impl Palette {
    /// The gradients a shape paints with.
    pub(super) fn paints(&self) -> String {
        let [body_light, body, _] = self.body;
        let [accent_light, accent] = self.accent;
        let [bright_light, bright] = self.bright;
        let pairs = [
            ("b", body_light, body),
            ("a", accent_light, accent),
            ("h", bright_light, bright),
            ("m", "#f1f3f4", "#9aa3aa"),
            ("k", "#565c62", "#2c3034"),
            ("w", "#ffffff", "#e3e1db"),
            ("c", "#dcb98c", "#bd9464"),
            ("o", "#e2bd8b", "#b98a55"),
            ("g", "#eaf3f6", "#a9c4cf"),
        ];
        let gradient = |(id, top, bottom)| {
            format!(
                "<linearGradient id=\"{id}\" x2=\".15\" y2=\"1\"><stop stop-color=\"{top}\"/>\
                 <stop offset=\"1\" stop-color=\"{bottom}\"/></linearGradient>"
            )
        };
        let glow = "<radialGradient id=\"y\"><stop stop-color=\"#fff\"/><stop offset=\"1\" \
                    stop-color=\"#ffd97a\"/></radialGradient>";
        let shadow = "<radialGradient id=\"f\"><stop stop-color=\"#2b2721\" stop-opacity=\".42\"/>\
                      <stop offset=\".6\" stop-color=\"#2b2721\" stop-opacity=\".14\"/>\
                      <stop offset=\"1\" stop-color=\"#2b2721\" stop-opacity=\"0\"/></radialGradient>";
        pairs.map(gradient).concat() + glow + shadow
    }

    /// A shape with its flat tones filled in.
    pub(super) fn paint(&self, shape: &str) -> String {
        shape
            .replace("{b}", self.body[1])
            .replace("{d}", self.body[2])
            .replace("{a}", self.accent[1])
            .replace("{k}", "#26292d")
            .replace('\n', "")
    }
}
