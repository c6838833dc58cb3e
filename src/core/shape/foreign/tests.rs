use super::*;

fn texts(translation: &Translation) -> Vec<String> {
    translation.layers.iter().map(Layer::to_string).collect()
}

/// Lines as they are pasted, and the layers they are.
const LINES: &[(&str, &[&str])] = &[
    ("nn.Conv2d(3, 32, 3, padding=1)", &["conv 32 k3 p1"]),
    (
        "nn.Conv2d(3, 32, kernel_size=3, stride=2, padding=1, bias=False),",
        &["conv 32 k3 s2 p1 nobias"],
    ),
    ("self.conv1 = nn.Conv2d(3, 6, 5)", &["conv 6 k5"]),
    (
        "torch.nn.Conv2d(in_channels=3, out_channels=8, kernel_size=(3, 5))",
        &["conv 8 k3x5"],
    ),
    ("nn.Conv2d(8, 16, 3, 1, 1, 1, 2)", &["conv 16 k3 p1 g2"]),
    ("nn.Conv2d(8, 16, 3, 2, 2, 2)", &["conv 16 k3 s2 p2 d2"]),
    ("nn.Conv2d(3, 8, 3, padding='same')", &["conv 8 k3 same"]),
    ("nn.Conv2d(3, 8, 3, padding='valid')", &["conv 8 k3"]),
    (
        "nn.Conv2d(3, 8, (3, 1), (2, 1), (1, 0))",
        &["conv 8 k3x1 s2x1 p1x0"],
    ),
    (
        "nn.Conv2d(32, 32, 3, padding=1, groups=32)",
        &["dwconv k3 p1"],
    ),
    (
        "nn.Conv2d(32, 64, 3, padding=1, groups=32, bias=False)",
        &["dwconv k3 p1 m2 nobias"],
    ),
    ("nn.Conv1d(1, 16, 9)", &["conv 16 k9"]),
    ("nn.Conv3d(1, 16, 3, dilation=2)", &["conv 16 k3 d2"]),
    ("nn.LazyConv2d(16, 3)", &["conv 16 k3"]),
    ("nn.ConvTranspose2d(16, 8, 2, stride=2)", &["convt 8 k2 s2"]),
    (
        "nn.ConvTranspose2d(16, 8, 3, 2, 1, 1)",
        &["convt 8 k3 s2 p1 op1"],
    ),
    (
        "nn.ConvTranspose2d(16, 8, 4, 2, 1, 0, 4, False)",
        &["convt 8 k4 s2 p1 g4 nobias"],
    ),
    ("nn.Linear(120, 84)", &["dense 84"]),
    (
        "nn.Linear(16 * 5 * 5, 120, bias=False)",
        &["dense 120 nobias"],
    ),
    ("fc = nn.LazyLinear(10)", &["dense 10"]),
    ("nn.MaxPool2d(2)", &["maxpool 2"]),
    ("nn.MaxPool2d(2, 2)", &["maxpool 2"]),
    (
        "nn.MaxPool2d(kernel_size=3, stride=2, padding=1)",
        &["maxpool 3 s2 p1"],
    ),
    ("nn.MaxPool2d(2, return_indices=True)", &["maxpool 2"]),
    ("nn.AvgPool2d((2, 3))", &["avgpool 2x3"]),
    ("nn.MaxUnpool2d(2, stride=2)", &["unpool"]),
    ("nn.AdaptiveAvgPool2d((1,1))", &["adaptive-avgpool 1"]),
    ("nn.AdaptiveAvgPool2d(7)", &["adaptive-avgpool 7"]),
    (
        "nn.Upsample(scale_factor=2, mode='nearest')",
        &["upsample 2"],
    ),
    (
        "nn.Upsample(scale_factor=2, mode='bilinear', align_corners=False)",
        &["upsample 2 bilinear"],
    ),
    ("nn.Flatten()", &["flatten"]),
    ("nn.Unflatten(1, (64, 7, 7))", &["reshape 64x7x7"]),
    ("nn.BatchNorm2d(32)", &["bn"]),
    ("nn.BatchNorm2d(32, eps=1e-05, momentum=0.1)", &["bn"]),
    ("nn.GroupNorm(8, 32)", &["groupnorm 8"]),
    ("nn.InstanceNorm2d(16, affine=True)", &["groupnorm 16"]),
    ("nn.LayerNorm([16, 8, 8])", &["layernorm"]),
    ("nn.Dropout(0.25)", &["dropout 0.25"]),
    ("nn.Dropout()", &["dropout 0.5"]),
    ("nn.Dropout2d(p=0.2)", &["dropout-channels 0.2"]),
    ("nn.ReLU(inplace=True)", &["relu"]),
    ("nn.ReLU6()", &["relu6"]),
    ("nn.LeakyReLU(0.1)", &["leakyrelu 0.1"]),
    ("nn.LeakyReLU()", &["leakyrelu 0.01"]),
    ("nn.PReLU()", &["prelu"]),
    ("nn.PReLU(32)", &["prelu channels"]),
    ("nn.ELU()", &["elu"]),
    ("nn.GELU()", &["gelu"]),
    ("nn.SiLU()", &["silu"]),
    ("nn.Hardswish()", &["hardswish"]),
    ("nn.Sigmoid()", &["sigmoid"]),
    ("nn.Tanh()", &["tanh"]),
    ("nn.Softmax(dim=1)", &["softmax"]),
    ("nn.Identity()", &["identity"]),
    ("nn.ZeroPad2d((0, 1, 2, 3))", &["pad 2+3x0+1"]),
    ("nn.ZeroPad2d(1)", &["pad 1"]),
    ("F.relu(x)", &["relu"]),
    ("x = F.max_pool2d(F.relu(x), 2)", &["relu", "maxpool 2"]),
    ("x = torch.flatten(x, 1)", &["flatten"]),
    ("x = x.view(-1, 16 * 5 * 5)", &["flatten"]),
    ("x = x.view(x.size(0), -1)", &["flatten"]),
    ("F.interpolate(x, scale_factor=2)", &["upsample 2"]),
    (
        "F.dropout(x, 0.3, training=self.training)",
        &["dropout 0.3"],
    ),
    ("(\"conv1\", nn.Conv2d(3, 8, 3)),", &["conv 8 k3"]),
    (
        "Conv2D(32, (3, 3), strides=2, activation=\"relu\")",
        &["conv 32 k3 s2", "relu"],
    ),
    (
        "layers.Conv2D(32, 3, padding='same', activation='relu')",
        &["conv 32 k3 same", "relu"],
    ),
    (
        "tf.keras.layers.Conv2D(8, 3, dilation_rate=2, use_bias=False)",
        &["conv 8 k3 d2 nobias"],
    ),
    (
        "keras.layers.Conv2D(8, 5, name='first')",
        &["conv 8 k5 @first"],
    ),
    (
        "model.add(Conv2D(16, (3, 3), activation='relu', padding='same'))",
        &["conv 16 k3 same", "relu"],
    ),
    ("x = layers.Conv2D(16, 3)(x)", &["conv 16 k3"]),
    (
        "Conv2DTranspose(16, (3, 3), strides=2, padding='same')",
        &["convt 16 k3 s2 same"],
    ),
    ("Conv2DTranspose(16, 1, strides=2)", &["convt 16 k1 s2 op1"]),
    (
        "Conv2DTranspose(16, 3, strides=2, padding='same', output_padding=1)",
        &["convt 16 k3 s2 p1 op1"],
    ),
    ("DepthwiseConv2D(3, depth_multiplier=2)", &["dwconv k3 m2"]),
    (
        "SeparableConv2D(32, 3, activation='elu')",
        &["sepconv 32 k3", "elu"],
    ),
    ("Dense(10, activation='softmax')", &["dense 10", "softmax"]),
    ("Dense(64, activation=tf.nn.relu)", &["dense 64", "relu"]),
    (
        "Dense(64, activation=layers.LeakyReLU(0.2))",
        &["dense 64", "leakyrelu 0.2"],
    ),
    ("Dense(1, activation='linear')", &["dense 1"]),
    ("MaxPooling2D((2, 2))", &["maxpool 2"]),
    ("MaxPooling2D()", &["maxpool 2"]),
    (
        "MaxPooling2D((3, 3), strides=(2, 2), padding='same')",
        &["maxpool 3 s2 same"],
    ),
    ("AveragePooling2D(pool_size=2)", &["avgpool 2"]),
    ("GlobalAveragePooling2D()", &["gap"]),
    (
        "GlobalAveragePooling2D(keepdims=True)",
        &["adaptive-avgpool 1"],
    ),
    ("GlobalMaxPooling2D()", &["gmp"]),
    ("UpSampling2D((2,2))", &["upsample 2"]),
    (
        "UpSampling2D(size=(2, 3), interpolation='bilinear')",
        &["upsample 2x3 bilinear"],
    ),
    ("layers.Flatten()", &["flatten"]),
    ("Flatten()", &["flatten"]),
    ("Reshape((7,7,64))", &["reshape 64x7x7"]),
    ("layers.Dropout(0.5)", &["dropout 0.5"]),
    ("SpatialDropout2D(0.2)", &["dropout-channels 0.2"]),
    ("BatchNormalization()", &["bn"]),
    ("ZeroPadding2D(1)", &["pad 1"]),
    ("ZeroPadding2D(((0, 1), (0, 1)))", &["pad 0+1"]),
    ("ZeroPadding2D((1, 2))", &["pad 1x2"]),
    ("Cropping2D(((1, 0), (2, 0)))", &["crop 1+0x2+0"]),
    ("GaussianNoise(0.1)", &["noise 0.1"]),
    ("Activation('relu')", &["relu"]),
    ("layers.Activation(\"swish\")", &["silu"]),
    ("layers.LeakyReLU()", &["leakyrelu 0.3"]),
    ("layers.LeakyReLU(alpha=0.2)", &["leakyrelu 0.2"]),
    ("LeakyReLU(0.2)", &["leakyrelu 0.2"]),
    ("layers.ReLU(max_value=6)", &["relu6"]),
    ("PReLU(shared_axes=[1, 2])", &["prelu channels"]),
    ("ReLU()  # after the sum", &["relu"]),
];

#[test]
fn lines_become_the_layers_that_they_are() {
    for (line, layers) in LINES {
        let translation = translate(line).unwrap_or_else(|error| panic!("{line}: {error:?}"));
        assert_eq!(texts(&translation), *layers, "{line}");
    }
}

#[test]
fn what_cannot_be_expressed_is_named() {
    for (line, message, place) in [
        (
            "nn.Conv2d(3, 8, 3, padding_mode='reflect')",
            "`padding_mode`",
            "'reflect'",
        ),
        (
            "nn.Conv2d(3, width, 3)",
            "`out_channels` is `width`",
            "width",
        ),
        ("nn.Conv2d(3, 8)", "needs `kernel_size`", "nn.Conv2d"),
        (
            "nn.Conv2d(3, 8, 3, stride=2, padding='same')",
            "stride 1 alone",
            "'same'",
        ),
        ("nn.MaxPool2d(2, ceil_mode=True)", "`ceil_mode`", "True"),
        ("nn.MaxPool2d(2, dilation=2)", "`dilation`", "2"),
        (
            "nn.AvgPool2d(3, padding=1, count_include_pad=False)",
            "`count_include_pad`",
            "False",
        ),
        ("nn.BatchNorm2d(8, momentum=0.01)", "`momentum`", "0.01"),
        ("nn.BatchNorm2d(8, affine=False)", "`affine`", "False"),
        ("nn.InstanceNorm2d(8)", "`affine`", "nn.InstanceNorm2d"),
        ("nn.GELU(approximate='tanh')", "`approximate`", "'tanh'"),
        ("nn.Upsample(size=(8, 8))", "`size`", "(8, 8)"),
        (
            "nn.Upsample(scale_factor=2, mode='bicubic')",
            "`mode`",
            "'bicubic'",
        ),
        (
            "nn.Upsample(scale_factor=2, mode='bilinear', align_corners=True)",
            "`align_corners`",
            "True",
        ),
        ("nn.Flatten(start_dim=2)", "`start_dim`", "2"),
        ("nn.Linear(8, 4, device='cuda')", "`device`", "'cuda'"),
        ("nn.Dropout(1.5)", "that is `dropout 1.5`", "nn.Dropout"),
        (
            "nn.LogSoftmax(dim=1)",
            "no layer like `nn.LogSoftmax`",
            "nn.LogSoftmax",
        ),
        ("nn.SELU()", "no layer like `nn.SELU`", "nn.SELU"),
        ("nn.LSTM(8, 8)", "no layer like", "nn.LSTM"),
        (
            "Conv2D(8, 3, kernel_regularizer='l2')",
            "`kernel_regularizer`",
            "'l2'",
        ),
        ("Conv2D(8, 3, activation='selu')", "`activation`", "'selu'"),
        ("Conv2D(8, 3, padding='causal')", "`padding`", "'causal'"),
        (
            "SeparableConv2D(8, 3, depth_multiplier=2)",
            "`depth_multiplier`",
            "2",
        ),
        ("GlobalMaxPooling2D(keepdims=True)", "`keepdims`", "True"),
        ("Reshape((-1, 8))", "`target_shape`", "(-1, 8)"),
        ("layers.PReLU()", "`shared_axes`", "layers.PReLU"),
        (
            "layers.Concatenate()([a, b])",
            "no layer like",
            "layers.Concatenate",
        ),
        ("LeakyReLU()", "different things", "LeakyReLU"),
        (
            "F.relu(self.conv1(x))",
            "`self.conv1` is no layer",
            "self.conv1",
        ),
        ("torch.flatten(x)", "`start_dim`", "torch.flatten"),
        ("x.view(-1, 64, 7, 7)", "`x.view`", "x.view"),
        ("Conv2D(32, (3, 3)", "`(` is not closed", "("),
        (
            "nn.Conv2d(3, 8, 3) + 1",
            "this is no layer",
            "nn.Conv2d(3, 8, 3) + 1",
        ),
        ("def forward(self, x):", "can't be read", "f"),
        (
            "nn.ReLU()  # 28 nn.Flatten()",
            "a comment hides",
            "# 28 nn.Flatten()",
        ),
        ("nn.ReLU(False, True)", "takes fewer arguments", "True"),
        ("nn.Conv2d(3, 8, 3, kernel_size=3)", "given twice", "3"),
        (
            "Conv2d(1, 20, kernel_size=5, pading=2)",
            "no argument `pading`",
            "pading",
        ),
        (
            "Conv2D(20, kernel_sise=5)",
            "no argument `kernel_sise`",
            "kernel_sise",
        ),
    ] {
        let error = translate(line).expect_err(line);
        assert!(error.message.contains(message), "{line}: {}", error.message);
        assert_eq!(&line[error.span.clone()], place, "{line}");
        assert!(!error.help.to_string().is_empty());
    }
}

#[test]
fn a_whole_sequential_becomes_its_layers() {
    let pytorch = "self.features = nn.Sequential(\n    nn.Conv2d(1, 20, 5),  # 28 -> 24\n    nn.ReLU(),\n    \
                   nn.MaxPool2d(2),\n)";
    let body = "    nn.Conv2d(1, 20, 5),\n    nn.ReLU(),\n    nn.MaxPool2d(2),\n)";
    let flat = "self.c = nn.Conv2d(1, 20, 5) self.r = nn.ReLU() self.p = nn.MaxPool2d(2)";
    for text in [pytorch, body, flat] {
        assert_eq!(
            texts(&translate(text).unwrap()),
            ["conv 20 k5", "relu", "maxpool 2"]
        );
    }
    let keras = "model = keras.Sequential([\n  keras.Input(shape=(28, 28, 1)),\n  layers.Conv2D(32, kernel_size=(3, 3), \
                 activation=\"relu\"),\n  layers.MaxPooling2D(pool_size=(2, 2)),\n  layers.Flatten(),\n  \
                 layers.Dropout(0.5),\n  layers.Dense(10, activation=\"softmax\"),\n])";
    let translation = translate(keras).unwrap();
    let expected = [
        "conv 32 k3",
        "relu",
        "maxpool 2",
        "flatten",
        "dropout 0.5",
        "dense 10",
        "softmax",
    ];
    assert_eq!(texts(&translation), expected);
    assert_eq!(
        translation.notes,
        ["the network's input is set above the layers"]
    );
}

#[test]
fn a_line_in_a_project_says_the_layers_to_write() {
    let help = |line: &str| line.parse::<Layer>().unwrap_err().help.to_string();
    assert_eq!(
        help("nn.Conv2d(3, 32, 3, padding=1)"),
        "write `conv 32 k3 p1`"
    );
    assert_eq!(
        help("Conv2D(32, (3, 3), strides=2, activation=\"relu\")"),
        "write `conv 32 k3 s2` and `relu`"
    );
    let noted = help("Conv2D(32, 3, input_shape=(28, 28, 1))");
    assert_eq!(
        noted,
        "write `conv 32 k3` (`input_shape` is the network's input, above the layers)"
    );
}

#[test]
fn deep_brackets_and_noise_are_refused() {
    for text in [
        "(".repeat(100_000),
        "-".repeat(100_000),
        "f(".repeat(5_000),
        "nn.ReLU(\"".into(),
        "é(ü".into(),
    ] {
        assert!(translate(&text).is_err());
    }
}
