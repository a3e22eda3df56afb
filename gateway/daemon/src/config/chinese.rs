//! What parsers and checks say of a file, in Chinese. Their own sentences are English, for logs and the API.

/// Pieces of their sentences and what stands for them, longer ones first where one begins another. Values and choices stay as
/// they are.
const PIECES: &[(&str, &str)] = &[
    // Parsers.
    ("unknown field ", "没有这一项："),
    ("missing field ", "缺少这一项："),
    ("unknown variant ", "取值不对："),
    ("invalid type: ", "取值不对："),
    ("invalid value: ", "取值不对："),
    ("invalid socket address syntax", "不是 地址:端口"),
    ("invalid IP address syntax", "不是 IP 地址"),
    ("string values must be quoted, expected literal string", "文字要加英文引号，数字要用半角"),
    ("key with no value, expected `=`", "键的后面缺少 = 和值"),
    ("extra `=`, expected nothing", "多了一个 ="),
    ("duplicate key", "同一个键写了两次"),
    ("unclosed array", "方括号没有收尾"),
    ("invalid basic string", "引号没有收尾"),
    ("a whole number and ms, s, m, h or d", "整数加 ms、s、m、h 或 d"),
    (", expected one of ", "，可用的有 "),
    (", expected ", "，应为 "),
    ("integer `", "整数 `"),
    ("floating point `", "小数 `"),
    ("string \"", "文字 \""),
    ("boolean `", "真假值 `"),
    ("a boolean", "true 或 false"),
    ("a string", "文字"),
    ("a sequence", "列表"),
    // Checks of a config.
    (
        " is reachable from outside and has no TLS: listen on 127.0.0.1, or set insecure_listen = true",
        " 从外面连得到而没有 TLS：请改为 127.0.0.1，或写 insecure_listen = true",
    ),
    (" is outside ", " 超出范围 "),
    (" is not below ", " 应小于 "),
    (" names two links", " 用作两条链路的名字"),
    (" serves two links", " 用在两条链路上"),
    (" is bound twice", " 占用了两次"),
    (" is used twice: an exercise has a net of its own", " 用了两次：演练要有自己的网"),
    (" is used twice: nobody could tell which is meant", " 用了两次：说不清是哪一个"),
    (" is used twice", " 用了两次"),
    ("there is one net of real traffic and one of exercises at most", "实际网和演练网各只能有一个"),
    (" is no place: latitude -80..=80, longitude -180..=180", " 不是地点：纬度 -80 到 80，经度 -180 到 180"),
    (" printable characters", " 个看得见的字符"),
    (" characters long", " 个字"),
    (" is not 1 to ", " 不合规，应为 1 到 "),
    ("name at least one local ADDRESS:PORT", "至少写一个本机的 地址:端口"),
    ("name the peers whose datagrams are taken, or set any_peer = true", "请写收谁的数据报，或写 any_peer = true"),
    (" is no group: groups are 224.0.0.0 to 239.255.255.255", " 不是组播地址：应在 224.0.0.0 到 239.255.255.255"),
    ("this is said only together with multicast = [\"GROUP\"]", "写了 multicast = [\"组播地址\"] 才用得上"),
    (" hears no IPv4 group: write ", " 听不到 IPv4 组播：请写 "),
    (" is not HOST:PORT, e.g. ", " 不是 主机:端口，例如 "),
    ("belongs to listen: with connect the station chooses whom it calls", "只用于 listen：用 connect 时由本站决定连谁"),
    ("name the peers that may connect, e.g. ", "请写谁可以连进来，例如 "),
    (
        "give exactly one of connect = \"HOST:PORT\" and listen = \"ADDRESS:PORT\"",
        "connect = \"主机:端口\" 和 listen = \"地址:端口\" 写且只写一个",
    ),
    ("wants true or false, a whole number or text", "应为 true 或 false、整数或文字"),
    // Profiles of devices, terminals.
    ("unknown key ", "没有这个设置："),
    ("; keys of this device: ", "；这种设备的设置有 "),
    ("no device ", "没有这种设备："),
    ("; devices: ", "；可用的有 "),
    (" is not one of ", " 不对，可选 "),
    (" wants ", " 应为 "),
    ("terminal ", "终端 "),
    (" is not BEARER:NUMBER with a bearer of ", " 不对，应写成 通道:号码，通道为 "),
];

/// A sentence in Chinese, as far as its pieces are known.
pub(crate) fn sentence(what: &str) -> String {
    PIECES.iter().fold(what.to_owned(), |said, (piece, words)| said.replace(piece, words))
}

/// What the system says of a file, in Chinese where it is one of the usual troubles.
pub(crate) fn trouble(error: &std::io::Error) -> String {
    use std::io::ErrorKind as Kind;
    let words = match error.kind() {
        Kind::NotFound => "没有这个文件或文件夹",
        Kind::PermissionDenied => "没有权限",
        Kind::AlreadyExists => "已经存在",
        Kind::StorageFull | Kind::QuotaExceeded => "磁盘满了",
        Kind::IsADirectory => "这是文件夹，不是文件",
        Kind::NotADirectory => "路径中间有一段不是文件夹",
        Kind::ReadOnlyFilesystem => "磁盘只能读",
        Kind::InvalidData => "不是 UTF-8 文本",
        _ => return error.to_string(),
    };
    words.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_parser_or_a_check_says_is_said_in_chinese_and_the_values_stay() {
        for (english, chinese) in [
            ("invalid value: integer `70000`, expected u16", "取值不对：整数 `70000`，应为 u16"),
            ("unknown field `numbr`, expected `number`", "没有这一项：`numbr`，应为 `number`"),
            ("1024 is outside 1..=1023", "1024 超出范围 1..=1023"),
            ("no device \"beido\"; devices: beidou, raw", "没有这种设备：\"beido\"；可用的有 beidou, raw"),
            ("\"\" is not 1 to 20 characters long", "\"\" 不合规，应为 1 到 20 个字"),
            (
                "terminal \"beidu:1\" is not BEARER:NUMBER with a bearer of beidou, ip",
                "终端 \"beidu:1\" 不对，应写成 通道:号码，通道为 beidou, ip",
            ),
        ] {
            assert_eq!(sentence(english), chinese);
        }
    }
}
