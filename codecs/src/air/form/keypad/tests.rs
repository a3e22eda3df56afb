use super::super::samples::any_current_form;
use super::super::{Origin, Spot, Value, by_name, schemas};
use super::*;
use proptest::prelude::*;

fn read(line: &str) -> Result<Form, String> {
    read_line(line, &Area::default()).map_err(|question| question.text)
}

/// What was read, printed.
fn printed(line: &str) -> String {
    read(line).unwrap_or_else(|question| panic!("{line}: {question}")).line().unwrap()
}

fn asked(line: &str) -> String {
    match read(line) {
        Ok(form) => panic!("{line} was read as {form:?}"),
        Err(question) => question,
    }
}

proptest! {
    #[test]
    fn every_form_comes_back_from_its_line(form in any_current_form()) {
        let line = form.line().unwrap();
        prop_assert!(is_line(&line));
        prop_assert_eq!(read_line(&line, &Area::default()), Ok(form), "{}", line);
    }

    #[test]
    fn no_line_panics_and_every_question_is_short(line in "[#＃]?[0-9 ０-９#死失伤困转续首滑坡说原北东位时日点应到帐篷/;?+增减同人SWE.:,一二十百万]{0,30}") {
        if let Err(question) = read_line(&line, &Area::default()) {
            prop_assert!(question.text.chars().count() <= QUESTION_MAX && !question.text.is_empty());
            prop_assert!(!is_line(&question.text), "{} would be answered by another station", question.text);
        }
    }

    #[test]
    fn what_is_read_is_read_again_from_what_is_printed(line in "#[0-9] [0-9 死失伤困转续首滑坡原北东应到帐篷/?增同人一二十]{0,24}") {
        if let Ok(form) = read_line(&line, &Area::default()) {
            prop_assert_eq!(read_line(&form.line().unwrap(), &Area::default()), Ok(form));
        }
    }
}

#[test]
fn every_example_of_every_form_is_read() {
    for schema in schemas() {
        for example in &schema.examples {
            let form = read(&example.line).unwrap_or_else(|question| panic!("{}: {question}", example.line));
            assert_eq!(form.schema(), schema, "{}", example.line);
        }
    }
}

#[test]
fn bare_values_mean_the_fields_in_their_order() {
    let expected = "#1 续报 滑坡 死3 失2 伤14 困0 倒26";
    assert_eq!(printed("#1 2 1 3 2 14 0 ? ? 26 ?"), expected);
    assert_eq!(printed("#1 续报 滑坡 3 2 14 0 ? ? 26 ?"), expected);
    assert_eq!(printed("#1*2*1*3*2*14*0*?*?*26*?"), expected);
    assert_eq!(printed("#险情 2 1 3 2 14 0 不明 不明 26 不明"), expected);
    assert_eq!(printed("#1 2 1 死3 失2"), "#1 续报 滑坡 死3 失2");
    assert_eq!(printed("#9 1 12 75"), "#9 正常 共12 电75");
    assert_eq!(printed("#0 30.6521,104.0812 50"), "#0 位N30.6521E104.0812 电50");
}

#[test]
fn fields_may_come_in_any_order_with_their_codes() {
    let expected = "#1 续报 滑坡 死3增1 失2减1 转同 断路 说 青龙村后山";
    for line in [
        "#1 续报 滑坡 死3增1 失2减1 转同 断路 说青龙村后山",
        "＃１　断路　失踪２名减少１　转移同前　死亡：３人（＋１）　灾种1　报2　备注：青龙村后山",
        "#1续报滑坡死三增一失二少一转不变断路说 青龙村后山",
        "  #1,,续报,,滑坡、、死 3 增1;失=2 减1。转:同。DL。注 青龙村后山 ",
    ] {
        assert_eq!(printed(line), expected, "{line}");
    }
    assert_eq!(printed("#1 XB HP SW3 sl2"), "#1 续报 滑坡 死3 失2");
    assert_eq!(printed("#1 首报 山洪 死无 伤一百二十人 转1.5万"), "#1 首报 山洪 死0 伤120 转15000");
}

#[test]
fn not_known_is_not_zero() {
    let form = read("#1首报山洪死0失?困不明").unwrap();
    assert_eq!(form.get("dead"), Some(&Value::Count(0)));
    assert_eq!((form.get("missing"), form.get("trapped"), form.get("injured")), (None, None, None));
}

#[test]
fn an_empty_call_for_help_is_one() {
    assert_eq!(printed("#2"), "#2");
    assert_eq!(printed("＃2"), "#2");
    assert_eq!(printed("#2 水围 五人 伤2"), "#2 水困 共5 伤2");
    assert!(line_schema("#2 乱七八糟").is_some_and(|schema| schema.distress));
    assert!(line_schema("演练 #1 乱").is_some_and(|schema| !schema.distress));
    assert!(line_schema("#滑坡").is_none());
}

#[test]
fn an_exercise_line_is_a_line() {
    for line in ["【演练】#2 1", "演练 ＃2 水困", "演练：#2 1"] {
        assert_eq!(printed(line), "#2 水困", "{line}");
    }
    assert!(!is_line("1号桥断了#2"));
}

#[test]
fn rows_are_parted_by_strokes_or_begin_with_their_first_field() {
    let expected = "#3 点1 应350 到349 / 点2 应60 到60";
    for line in [
        "#3 1 350 349 / 2 60 60",
        "#3 1 350 349；2 60 60",
        "#3 点1应350到349 点2应60到60",
        "#3 1号点应350到349，2号点应60到60",
        "#3 1号 350人 349人 2号 60人 60人",
    ] {
        assert_eq!(printed(line), expected, "{line}");
    }
    assert_eq!(printed("#3 1 ? 349 / 点2"), "#3 点1 到349 / 点2");
    assert_eq!(printed("#8 帐篷200顶 棉被300 水50箱 急1"), "#8 立即 帐篷 数200 / 棉被 数300 / 饮用水 数50");
    assert_eq!(printed("#8 1 200 / 2 300"), "#8 帐篷 数200 / 棉被 数300");
}

#[test]
fn positions_are_read_as_people_write_them() {
    let expected = "#0 位N30.6521E104.0812";
    for line in [
        "#0 30.6521,104.0812",
        "#0 104.0812 30.6521",
        "#0 N30.6521E104.0812",
        "#0 30.6521N 104.0812E",
        "#0 北纬30.6521度，东经104.0812度",
        "#0 位 经度104.0812 纬度30.6521",
    ] {
        assert_eq!(printed(line), expected, "{line}");
    }
    assert_eq!(printed("#2 水困 5人 东经104.0812北纬30.6521"), "#2 水困 共5 位N30.6521E104.0812");
    assert_eq!(printed("#2 水困 5人 原3南1东2"), "#2 水困 共5 位原3南1东2");
    let form = read("#0 原3 北1200米 西300 龄8").unwrap();
    assert_eq!(form.get("fix"), Some(&Value::Spot(Spot::Relative { origin: 3, north_m: 1_200, east_m: -300 })));
    for line in ["#0 30 104", "#0 10.55 20.66", "#0 30.65", "#0 30°39'12\" 104°04'", "#0 原3 北1200", "#0 原33北1东1"]
    {
        assert!(asked(line).starts_with("位置"), "{line}: {}", asked(line));
    }
}

#[test]
fn times_are_read_as_people_write_them() {
    for time in ["18:30", "18：30", "18点30分", "18时30", "1830", "18点半"] {
        assert_eq!(printed(&format!("#4 集合 限{time}")), "#4 集合 限18:30", "{time}");
    }
    assert_eq!(printed("#4 2 限12日18:30前"), "#4 集合 限12日18:30");
    for time in ["18", "25:00", "18:3", "32日18:30", "18:305"] {
        assert!(asked(&format!("#4 集合 限{time}")).starts_with("限时"), "{time}");
    }
    assert!(asked("#3 1 5 5 时12日18:30").starts_with("截至"));
}

#[test]
fn places_may_be_typed_by_name_where_they_are_shared() {
    let mut area = Area::default();
    area.places.insert(12, "青龙村".into());
    area.places.insert(13, "滑坡".into());
    area.origins.insert(1, Origin::new(306_500_000, 1_040_800_000).unwrap());
    let place = |line: &str| read_line(line, &area).unwrap().get("place").cloned();
    assert_eq!(place("#1 首报 山洪 青龙村 死0"), Some(Value::Place(12)));
    assert_eq!(place("#1 首报 山洪 地青龙村 死0"), Some(Value::Place(12)));
    assert_eq!(place("#1 首报 滑坡"), None);
    assert_eq!(asked("#1 首报 山洪 地青龙村"), "地点“青龙村”写编号，或写在“说”后面");
    assert_eq!(asked("#1 首报 山洪 青龙村"), "“青龙村”看不懂，若是说明请写在“说”后面");
}

#[test]
fn what_is_not_clear_is_asked_and_never_guessed() {
    for (line, question) in [
        ("#", "请写表号：1险情2求救3转移清点4指令5答复6预警7叫应8物资9状态0位置"),
        ("#12 1", "没有#12这张表；表号一位数，后面空一格再写"),
        ("#1", "缺报别：1首报 2续报 3终报"),
        ("#1 4", "报别“4”不清：1首报 2续报 3终报"),
        ("#1 23025", "报别“23025”不清：1首报 2续报 3终报"),
        ("#1 2 99", "灾种“99”不清：1滑坡 2泥石流 3崩塌 4山洪 5洪水 6内涝 7堤坝险情…"),
        ("#1 2 1 死", "死亡后面没写：写数字，不知道写?"),
        ("#1 2 1 死失2", "死亡后面没写：写数字，不知道写?"),
        ("#1 2 1 死约3", "死亡“约3”不清：写数字，不知道写?"),
        ("#1 2 1 死3户", "死亡以人计，“户”不清；也可写在“说”后面"),
        ("#1 2 1 死3+1", "死亡“3+1”不清：现在3、比上次多1写死3增1"),
        ("#1 2 1 死2-3", "死亡“2-3”不清：现在3、比上次多1写死3增1"),
        ("#1 2 1 死增1", "死亡“增1”不清：现在3、比上次多1写死3增1"),
        ("#1 2 1 死3增5", "死亡现在3，不可能比上次多5，请核对后重发"),
        ("#1 1 1 死3增1", "首报没有增减，死亡只写现在的数字"),
        ("#1 2 1 死3 死4", "死亡写了两次，以哪个为准？请重发整条"),
        ("#1 2 1 伤5 7", "“7”是哪一项？请写代号，如死7 失7 伤7"),
        ("#1 2 滑坡3 4", "“3”是哪一项？请写代号，如死3 失3 伤3"),
        ("#1 2 1 转2万", "转移“20000”超出0到16520，请写在“说”后面"),
        ("#1 2 1 重伤3", "“重伤3”看不懂，若是说明请写在“说”后面"),
        ("#1 2 1 伤三十多", "受伤“三十多”不清：现在3、比上次多1写伤3增1"),
        ("#1 2 1 1 2 3 4 5 6 7 8 9", "“9”多出来了：按顺序只有10项，其余写代号"),
        ("#1 2 1 3,000", "“3,000”不清：数字里不写逗号，两个数用空格隔开"),
        ("#1 2 1 转1,437", "“转1,437”不清：数字里不写逗号，两个数用空格隔开"),
        ("#3 1 350/349", "“350/349”不清：同一行用空格隔开，各行之间用空格/空格"),
        ("#3 1 350 349 2 60 60", "“2”多出来了：各行之间请用空格/空格隔开"),
        ("#3 1 350 360", "已转360多于总数350，请核对后重发"),
        ("#3 1 5 5 / 1 6 6", "点号写了两次，以哪个为准？请重发整条"),
        ("#3 应5", "应转是哪个点号的？请先写点号"),
        ("#5 1", "缺编号：写来文末尾括号里的编号，如01021"),
        ("#5 1 01022", "编号“01022”不清：写来文末尾括号里的编号，如01021"),
        ("#8 水5吨", "饮用水以箱计，“吨”不清；也可写在“说”后面"),
        ("#8 帐篷", "缺数量：写数字"),
        ("#8", "缺清单：品名、数量"),
        ("#9 1 12 150", "电量“150”超出5到100，请写在“说”后面"),
        ("#4 9 每25", "报告间隔“25”不清：写5 10 15 30 60 120 240 480"),
        ("#1 2 1 死3 #2", "“#2”看不懂，若是说明请写在“说”后面"),
        ("#1 2 1 3 2 14 0", "按顺序要写全10项，只有6项；不知道的写?，或写代号"),
        ("#9 1 75", "按顺序要写全3项，只有2项；不知道的写?，或写代号"),
        ("#3 1 350 349 / 60 60", "第2行要写全3项，只有2项；不知道的写?"),
        ("#1 2 1 3 2 14 0 260 01437 26 113", "转移“01437”不清：写数字，不知道写?"),
        ("#1 2 1 困0 同", "“同”看不懂，若是说明请写在“说”后面"),
    ] {
        assert_eq!(asked(line), question, "{line}");
    }
}

#[test]
fn a_question_names_the_field_for_programs_too() {
    let question = read_line("#1 4", &Area::default()).unwrap_err();
    assert_eq!(question.field, Some("report"));
    assert_eq!(question.to_string(), question.text);
}

#[test]
fn an_older_form_is_printed_as_what_it_is_today() {
    let mut old = Form::of(super::super::by_version("status", 0).unwrap());
    old.choose("state", "fine").unwrap();
    old.set("people", Value::Count(3)).unwrap();
    assert_eq!(read(&old.line().unwrap()), Ok(old.renewed()));
    assert_eq!(old.renewed().schema(), by_name("status").unwrap());
}
