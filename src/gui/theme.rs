//! Everything about how the window looks: colours of both themes, spacing, fonts.
//!
//! Panels take colours from [`palette`] and distances from the constants here, and from nowhere
//! else. One accent colour, two greys, red only for what is wrong and green only for what is proven.

mod classes;

pub(crate) use classes::class_color;

use eframe::egui::{
    self, Color32, Context, CornerRadius, FontData, FontDefinitions, FontFamily, FontId, Margin,
    Stroke, Style, TextStyle, Theme, Ui, Visuals, style::Selection, style::WidgetVisuals, vec2,
};
use std::sync::Arc;
use strata_core::project::layer::Family;

/// The smallest step of spacing; all distances are multiples of it.
pub const STEP: f32 = 4.0;
/// Between things that belong together.
pub const GAP: f32 = 2.0 * STEP;
/// Inside a panel, from its edge.
pub const MARGIN: i8 = 12;
/// Height of a row of the architecture and of a field.
pub(crate) const ROW: f32 = 28.0;
/// Width of a scroll bar under the pointer.
pub(crate) const SCROLL_BAR: f32 = 8.0;
/// How much of the colour of text has what can be moved: the handles of scroll bars and sliders.
const HANDLE: f32 = 0.55;
/// Corners of rows, buttons and tiles.
pub(crate) const RADIUS: u8 = 4;

/// The colours of one theme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Palette {
    /// Behind the tiles.
    pub back: Color32,
    /// Panels and tiles.
    pub panel: Color32,
    /// Rows, fields and buttons.
    pub raised: Color32,
    /// The same under the pointer or selected.
    pub lifted: Color32,
    /// Lines between things.
    pub line: Color32,
    /// Ordinary text.
    pub text: Color32,
    /// Headings and what is looked at.
    pub strong: Color32,
    /// Explanations and units.
    pub weak: Color32,
    /// What can be done now, what is selected, the training curve.
    pub accent: Color32,
    /// Text on the accent colour.
    pub on_accent: Color32,
    /// Behind what is switched on.
    pub tint: Color32,
    /// What is written on it.
    pub on_tint: Color32,
    /// What is wrong.
    pub wrong: Color32,
    /// Behind what is wrong.
    pub wrong_back: Color32,
    /// What is proven.
    pub proven: Color32,
    /// Behind what is proven.
    pub proven_back: Color32,
    /// The validation curve, and warnings.
    pub second: Color32,
}

const fn rgb(hex: u32) -> Color32 {
    Color32::from_rgb((hex >> 16) as u8, (hex >> 8) as u8, hex as u8)
}

/// Light text on dark.
pub(crate) const DARK: Palette = Palette {
    back: rgb(0x15_17_1b),
    panel: rgb(0x1c_1f_24),
    raised: rgb(0x24_28_2f),
    lifted: rgb(0x2e_33_3c),
    line: rgb(0x30_35_3e),
    text: rgb(0xd6_da_e0),
    strong: rgb(0xf3_f5_f7),
    weak: rgb(0x96_9d_a8),
    accent: rgb(0x5a_a2_ff),
    on_accent: rgb(0x08_16_28),
    tint: rgb(0x2b_45_68),
    on_tint: rgb(0xdb_e9_ff),
    wrong: rgb(0xff_7b_78),
    wrong_back: rgb(0x3a_23_26),
    proven: rgb(0x4c_cf_92),
    proven_back: rgb(0x1f_33_2c),
    second: rgb(0xe8_b0_4a),
};

/// Dark text on light.
pub const LIGHT: Palette = Palette {
    back: rgb(0xe9_ec_f0),
    panel: rgb(0xf8_f9_fb),
    raised: rgb(0xff_ff_ff),
    lifted: rgb(0xea_ed_f2),
    line: rgb(0xd5_da_e1),
    text: rgb(0x2b_31_3a),
    strong: rgb(0x10_14_1a),
    weak: rgb(0x5f_68_75),
    accent: rgb(0x1f_6f_d6),
    on_accent: rgb(0xff_ff_ff),
    tint: rgb(0xc4_da_f6),
    on_tint: rgb(0x0b_3f_83),
    wrong: rgb(0xc2_2b_2b),
    wrong_back: rgb(0xfb_e4_e3),
    proven: rgb(0x0f_76_45),
    proven_back: rgb(0xda_ef_e3),
    second: rgb(0x9a_66_00),
};

/// The colours of the theme in use.
pub fn palette(ui: &Ui) -> &'static Palette {
    palette_of(ui.visuals().dark_mode)
}

/// What the window is cleared with: the ground that tiles and panels lie on.
pub fn behind(dark: bool) -> Color32 {
    palette_of(dark).back
}

/// The colours of the dark theme, or of the light one.
pub(crate) fn palette_of(dark: bool) -> &'static Palette {
    if dark { &DARK } else { &LIGHT }
}

/// The colour of a family of layers.
pub fn family(ui: &Ui, family: Family) -> Color32 {
    let (dark, light) = match family {
        Family::Convolution => (0x5a_a2_ff, 0x2f_78_d6),
        Family::Upward => (0x8a_8f_ff, 0x55_5b_d6),
        Family::Pooling => (0x3c_c0_b6, 0x13_8c_83),
        Family::Dense => (0xf0_8a_b0, 0xc7_4f_7e),
        Family::Activation => (0xe8_b0_4a, 0xb0_7a_10),
        Family::Normalisation => (0x9c_cc_5f, 0x5c_8a_1e),
        Family::Regularisation => (0x9a_a3_b0, 0x7a_83_8f),
        Family::Shape => (0xc8_a8_8a, 0x8f_6f_4e),
        Family::Block => (0xc5_8a_f9, 0x8d_4f_d0),
    };
    rgb(if ui.visuals().dark_mode { dark } else { light })
}

/// A colour with part of its strength, over what is behind it.
pub(crate) fn faded(color: Color32, share: f32) -> Color32 {
    color.gamma_multiply(share)
}

/// The edge between two parts of the window that can be dragged: under the pointer, and while it is dragged.
pub(crate) fn edge(colors: &Palette, is_dragged: bool) -> Stroke {
    Stroke::new(
        2.0,
        if is_dragged {
            colors.accent
        } else {
            handle(colors)
        },
    )
}

/// The colour of what can be moved.
pub(crate) fn handle(colors: &Palette) -> Color32 {
    faded(colors.text, HANDLE)
}

/// The font of headings.
pub fn heading(size: f32) -> FontId {
    FontId::new(size, FontFamily::Name(SEMIBOLD.into()))
}

/// The font of everything that is compared digit by digit: shapes, counts, layer text.
pub fn digits(size: f32) -> FontId {
    FontId::new(size, FontFamily::Monospace)
}

// The five sizes of type.
/// The title of a page.
pub(crate) const TITLE: f32 = 16.0;
/// Ordinary text, and headings in another weight.
pub(crate) const BODY: f32 = 13.0;
/// The text of layers and of fields.
pub(crate) const CODE: f32 = 12.0;
/// Explanations, units and figures.
pub(crate) const SMALL: f32 = 11.5;
/// Marks of axes and of colour bars.
pub(crate) const TINY: f32 = 10.0;
const SEMIBOLD: &str = "semibold";

/// Installs fonts and both themes.
pub fn install(ctx: &Context) {
    ctx.set_fonts(fonts());
    for theme in [Theme::Dark, Theme::Light] {
        ctx.style_mut_of(theme, |style| {
            restyle(style, palette_of(theme == Theme::Dark))
        });
    }
}

/// Inter for words, Hack for digits; each falls back on the other and on egui's symbols.
fn fonts() -> FontDefinitions {
    let mut fonts = FontDefinitions::default();
    let inter: [(&str, &'static [u8]); 2] = [
        (
            "inter",
            include_bytes!("../../assets/fonts/Inter-Regular.otf"),
        ),
        (
            SEMIBOLD,
            include_bytes!("../../assets/fonts/Inter-SemiBold.otf"),
        ),
    ];
    for (name, bytes) in inter {
        fonts
            .font_data
            .insert(name.to_owned(), Arc::new(FontData::from_static(bytes)));
    }
    let symbols = fonts
        .families
        .get(&FontFamily::Proportional)
        .cloned()
        .unwrap_or_default();
    let chain = |first: &str| {
        let mut chain = vec![first.to_owned(), "Hack".to_owned()];
        chain.extend(symbols.iter().filter(|name| *name != "Hack").cloned());
        chain
    };
    fonts
        .families
        .insert(FontFamily::Proportional, chain("inter"));
    fonts
        .families
        .insert(FontFamily::Name(SEMIBOLD.into()), chain(SEMIBOLD));
    let monospace = fonts.families.entry(FontFamily::Monospace).or_default();
    monospace.insert(1.min(monospace.len()), "inter".to_owned());
    fonts
}

fn restyle(style: &mut Style, colors: &Palette) {
    style.text_styles = [
        (TextStyle::Heading, heading(BODY)),
        (TextStyle::Body, FontId::proportional(BODY)),
        (TextStyle::Button, FontId::proportional(BODY)),
        (TextStyle::Monospace, digits(CODE)),
        (TextStyle::Small, FontId::proportional(SMALL)),
    ]
    .into();
    let spacing = &mut style.spacing;
    spacing.item_spacing = vec2(GAP, STEP);
    spacing.button_padding = vec2(GAP, STEP);
    spacing.interact_size = vec2(ROW, 24.0);
    spacing.menu_margin = Margin::same(4);
    spacing.window_margin = Margin::same(MARGIN);
    spacing.icon_width = 16.0;
    spacing.combo_width = 60.0;
    spacing.tooltip_width = 360.0;
    spacing.scroll = egui::style::ScrollStyle {
        bar_width: SCROLL_BAR,
        floating_width: SCROLL_BAR - 2.0,
        floating_allocated_width: SCROLL_BAR,
        handle_min_length: 24.0,
        // What is at the edge can be read; the bar says that there is more.
        fade: egui::style::ScrollFadeStyle {
            strength: 0.0,
            ..Default::default()
        },
        dormant_background_opacity: 0.0,
        active_background_opacity: 0.0,
        interact_background_opacity: 0.0,
        foreground_color: true,
        dormant_handle_opacity: HANDLE,
        active_handle_opacity: 0.7,
        interact_handle_opacity: 0.9,
        ..egui::style::ScrollStyle::thin()
    };
    style.interaction.tooltip_delay = 0.35;
    style.interaction.selectable_labels = false;
    style.animation_time = 0.08;
    style.visuals = visuals(style.visuals.clone(), colors);
}

/// What is set in a menu looks as it does elsewhere: egui takes the frames of fields and buttons away there.
pub(crate) fn in_menu(ui: &mut Ui) {
    let colors = palette(ui);
    restyle(ui.style_mut(), colors);
}

fn visuals(base: Visuals, colors: &Palette) -> Visuals {
    let mut visuals = base;
    visuals.weak_text_color = Some(colors.weak);
    visuals.hyperlink_color = colors.accent;
    visuals.faint_bg_color = colors.raised;
    visuals.extreme_bg_color = colors.raised;
    visuals.code_bg_color = colors.raised;
    visuals.warn_fg_color = colors.second;
    visuals.error_fg_color = colors.wrong;
    visuals.panel_fill = colors.panel;
    visuals.window_fill = colors.panel;
    visuals.window_stroke = Stroke::new(1.0, colors.line);
    visuals.window_corner_radius = CornerRadius::same(RADIUS);
    visuals.menu_corner_radius = CornerRadius::same(RADIUS);
    visuals.popup_shadow = egui::Shadow {
        offset: [0, 4],
        blur: 16,
        spread: 0,
        color: Color32::from_black_alpha(70),
    };
    visuals.selection = Selection {
        bg_fill: colors.tint,
        stroke: Stroke::new(1.0, colors.on_tint),
    };
    visuals.slider_trailing_fill = false;
    visuals.disabled_alpha = 0.6;
    let states = &mut visuals.widgets;
    states.noninteractive = widget(colors.panel, colors.line, colors.text);
    states.inactive = widget(colors.raised, colors.line, colors.text);
    states.hovered = widget(colors.lifted, colors.line, colors.strong);
    states.active = widget(colors.lifted, colors.accent, colors.strong);
    states.open = widget(colors.lifted, colors.line, colors.strong);
    visuals
}

fn widget(fill: Color32, line: Color32, text: Color32) -> WidgetVisuals {
    WidgetVisuals {
        bg_fill: fill,
        weak_bg_fill: fill,
        bg_stroke: Stroke::new(1.0, line),
        corner_radius: CornerRadius::same(RADIUS),
        fg_stroke: Stroke::new(1.0, text),
        expansion: 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn luminance(color: Color32) -> f32 {
        let linear = egui::Rgba::from(color);
        0.2126 * linear.r() + 0.7152 * linear.g() + 0.0722 * linear.b()
    }

    pub(super) fn contrast(a: Color32, b: Color32) -> f32 {
        let (a, b) = (luminance(a) + 0.05, luminance(b) + 0.05);
        a.max(b) / a.min(b)
    }

    /// WCAG AA: 4.5 for text, on everything that it is written on.
    #[test]
    fn text_can_be_read_in_both_themes() {
        for (name, p) in [("dark", DARK), ("light", LIGHT)] {
            let mut pairs = vec![
                (p.on_accent, p.accent),
                (p.on_tint, p.tint),
                (p.strong, p.tint),
                (p.wrong, p.wrong_back),
                (p.strong, p.wrong_back),
                (p.proven, p.proven_back),
                (p.strong, p.proven_back),
            ];
            for back in [p.panel, p.raised, p.lifted] {
                pairs.extend([p.text, p.strong].map(|text| (text, back)));
            }
            for back in [p.panel, p.raised] {
                pairs.extend(
                    [p.weak, p.wrong, p.proven, p.second, p.accent].map(|text| (text, back)),
                );
            }
            for (text, back) in pairs {
                let found = contrast(text, back);
                assert!(found >= 4.5, "{name}: {text:?} on {back:?}: {found}");
            }
        }
    }

    /// WCAG AA: 3 for what is no text.
    #[test]
    fn handles_and_colours_of_lines_can_be_seen_in_both_themes() {
        for (name, p) in [("dark", DARK), ("light", LIGHT)] {
            for back in [p.panel, p.raised, p.lifted, p.back] {
                let found = contrast(back.blend(handle(&p)), back);
                assert!(found >= 3.0, "{name}: a handle on {back:?}: {found}");
            }
            for line in [p.accent, p.second, p.proven, p.weak] {
                let found = contrast(line, p.panel);
                assert!(found >= 3.0, "{name}: {line:?}: {found}");
            }
        }
    }
}
