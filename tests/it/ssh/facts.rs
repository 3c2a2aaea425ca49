//! What the verify script prints, as read by the product.

use rackhand_core::clients::ssh::HostFacts;

const HEAD: &str = "hostname=h\ntimezone=Etc/UTC\ndocker_ok=yes\ndocker_version=26.1.5\nufw_active=yes\n";
const TAIL: &str =
    "fail2ban_ok=no\ndisk_total_mib=40960\ndisk_free_mib=9\npassword_login=no\nos_id=debian\nos_version=13\n";

#[test]
fn only_plain_tcp_rules_are_ports() {
    let rules = [
        "ufw_default=allow",
        "ufw_rule=22/tcp                     ALLOW IN    Anywhere                   # ssh",
        "ufw_rule=80,443/tcp                 ALLOW IN    Anywhere",
        "ufw_rule=22/tcp (OpenSSH)           ALLOW IN    Anywhere",
        "ufw_rule=53                         ALLOW IN    Anywhere",
        "ufw_rule=60000:61000/tcp            ALLOW IN    Anywhere",
        "ufw_rule=23/tcp                     LIMIT IN    Anywhere",
        "ufw_rule=24/tcp                     DENY IN     Anywhere",
        "ufw_rule=25/tcp on eth0             ALLOW IN    Anywhere",
        "ufw_rule=26/tcp                     ALLOW IN    10.0.0.0/8",
        "ufw_rule=22/tcp (v6)                ALLOW IN    Anywhere (v6)",
        "ufw_rule=9000/tcp (v6)              ALLOW IN    Anywhere (v6)",
    ];
    let facts = HostFacts::parse(&format!("{HEAD}{}\n{TAIL}end=ok\n", rules.join("\n"))).unwrap();
    assert_eq!(facts.ufw_ports, [22, 80, 443]);
    assert_eq!(
        facts.ufw_other,
        [
            "53 ALLOW IN Anywhere",
            "60000:61000/tcp ALLOW IN Anywhere",
            "23/tcp LIMIT IN Anywhere",
            "24/tcp DENY IN Anywhere",
            "25/tcp on eth0 ALLOW IN Anywhere",
            "26/tcp ALLOW IN 10.0.0.0/8",
            "9000/tcp (v6) ALLOW IN Anywhere (v6)",
            "default: allow (incoming)",
        ]
    );
    assert_eq!((facts.docker_version.as_deref(), facts.disk_free_mib), (Some("26.1.5"), 9));
}

#[test]
fn half_an_answer_is_none() {
    for text in [
        "",
        HEAD,
        &format!("{HEAD}{TAIL}"),
        &format!("{HEAD}end=ok\n"),
        &format!("{HEAD}{TAIL}end=ok").replace("=yes", "=?"),
    ] {
        HostFacts::parse(text).unwrap_err();
    }
}
