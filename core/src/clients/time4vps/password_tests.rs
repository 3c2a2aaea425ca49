use super::*;

fn found(results: &str) -> Option<String> {
    password_hides_in_html(results).map(|password| password.expose().to_owned())
}

#[test]
fn the_script_of_a_link() {
    let link = |script: &str| format!("Password: \t<a onclick='{script}'>Click to reveal</a>");
    for (script, password) in [
        (r#"this.innerHTML = "Xk9mP3qR7""#, "Xk9mP3qR7"),
        (r#"this.innerHTML="Xk9";"#, "Xk9"),
        (r#"this.innerHTML = "Xk9"; return false;"#, "Xk9"),
        (r#"this.innerHTML = "  Xk9 ""#, "Xk9"),
        (r#"this.innerHTML = "a&amp;b&lt;c&gt;d""#, "a&b<c>d"),
        (r#"this.innerHTML = "a\"b\x27c\\d\/e\u0026f""#, r#"a"b'c\d/e&f"#),
        (r#"this.innerHTML = "a<b>c&d""#, "a<b>c&d"),
        (r#"this.innerHTML = "a"b""#, r#"a"b"#),
        (r#"this.innerHTML = "a'b""#, "a'b"),
        ("this.innerHTML = &quot;a&#039;b&quot;", "a'b"),
        (r#"this.innerHTML = \"Xk9\""#, "Xk9"),
        (r#"this.innerHTML = """#, ""),
    ] {
        let expected = (!password.is_empty()).then(|| password.to_owned());
        assert_eq!(found(&link(script)), expected, "{script}");
    }
    assert_eq!(found(r#"<a onclick="this.innerHTML = 'Xk9'" href="x">y</a>"#).as_deref(), Some("Xk9"));
}

#[test]
fn a_label() {
    for (results, password) in [
        ("New password: Xk9$mP3qR7", Some("Xk9$mP3qR7")),
        ("Server is ready.\r\nRoot password:\tXk9 \r\nBye", Some("Xk9")),
        ("Password: <b>Xk9</b>", Some("Xk9")),
        ("Password: <Xk9>&\"'", Some("<Xk9>&\"'")),
        ("password: Xk9<br>Login: root", Some("Xk9")),
        ("Password: \t<a href='#'>Click to reveal</a>", None),
        ("Password: could not be reset", None),
        ("Password reset failed", None),
        ("Password:", None),
        ("VM rebooted successfully", None),
        ("", None),
    ] {
        assert_eq!(found(results).as_deref(), password, "{results}");
    }
}

#[test]
fn nothing_secret_is_shown() {
    assert_eq!(showable("VM rebooted successfully", false).as_deref(), Some("VM rebooted successfully"));
    assert_eq!(
        showable("<p>Password reset failed: <b>disk</b> full", true).unwrap(),
        "Password reset failed: disk full"
    );
    assert_eq!(showable(" ", true), None);
    for results in [
        "New password: CANARY",
        "Password: \t<a onclick='this.innerHTML = \"CANARY\"'>Click, or an error</a>",
        "Error. Pass phrase is set. New passwords = CANARY",
        "root / CANARY",
        "root / aCANARY7. If this fails, ask us.",
    ] {
        assert!(!showable(results, true).unwrap_or_default().contains("CANARY"), "{results}");
    }
}
