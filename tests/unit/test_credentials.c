#include "tests/unit/test.h"

#include "core/buf.h"
#include "server/web/credentials.h"

static void read_as(const char *field, const char *name, const char *password)
{
    struct credentials c;

    assert_true(credentials_read(view_of(field), &c));
    assert_view(c.name, name);
    assert_view(c.password, password);
    assert_int_equal(c.password.p[c.password.n], '\0');
    credentials_wipe(&c);
}

static void refused(const char *field)
{
    struct credentials c;

    if (credentials_read(view_of(field), &c))
        fail_msg("taken: %s", field);
    credentials_wipe(&c);
}

static void names_and_passwords_come_in_base64(void **state)
{
    (void)state;
    read_as("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "Aladdin",
            "open sesame");                                   /* RFC 7617 */
    read_as("Basic dGVzdDoxMjPCow==", "test", "123\xC2\xA3"); /* the same */
    read_as("basic YTpi", "a", "b");
    read_as("BASIC   YTpi", "a", "b");
    read_as("Basic YTpi  ", "a", "b");
    read_as("Basic YTpiOmM6", "a", "b:c:"); /* further colons are of the password */
    read_as("Basic YTo=", "a", "");
    read_as("Basic OmI=", "", "b");
    read_as("Basic Og==", "", "");
}

static void what_is_not_basic_is_refused(void **state)
{
    (void)state;
    refused("");
    refused("Basic");
    refused("Basic ");
    refused("BasicYTpi");
    refused("Bearer YTpi");
    refused("Digest username=\"a\"");
    refused(" Basic YTpi");
    assert_false(
        credentials_read((struct view){ NULL, 0 }, &(struct credentials){ 0 }));
}

static void what_is_no_base64_is_refused(void **state)
{
    (void)state;
    refused("Basic YTp"); /* no padding */
    refused("Basic YTo");
    refused("Basic YTo=="); /* too much of it */
    refused("Basic YQ===");
    refused("Basic ====");
    refused("Basic Y=pi"); /* in the middle */
    refused("Basic YTo=YTpi");
    refused("Basic YTp\x01");
    refused("Basic YT-_"); /* the other alphabet */
    refused("Basic YT pi");
    refused("Basic YTpi YTpi");
    refused("Basic YTp="); /* bits that nobody meant: "a:" is YTo= */
    refused("Basic Oh==");
    /* What lies behind the field is not of it. */
    assert_false(
        credentials_read((struct view){ "Basic YTpi", 9 }, &(struct credentials){ 0 }));
}

static void without_a_colon_there_is_no_password(void **state)
{
    (void)state;
    refused("Basic YWxpY2U=");
}

static void control_characters_are_refused(void **state)
{
    (void)state;
    refused("Basic YTpiAGM="); /* a:b NUL c, which the C library would take for a:b */
    refused("Basic YQA6Yg=="); /* a NUL : b */
    refused("Basic YTpiCg=="); /* a:b newline */
    refused("Basic YTp/");     /* a: DEL */
}

static void long_ones_are_refused(void **state)
{
    static const char letters[] = "QUFB"; /* AAA */
    struct buf b = { 0 };

    (void)state;
    /* "a:" and one A, then 510 more: 511 bytes of password */
    buf_str(&b, "Basic YTpB");
    for (int i = 0; i < 170; i++)
        buf_str(&b, letters);
    buf_char(&b, '\0');
    assert_true(credentials_read(view_of(b.p), &(struct credentials){ 0 }));
    b.n--;
    buf_str(&b, "QQ==");
    buf_char(&b, '\0');
    refused(b.p);
    buf_release(&b);
    buf_str(&b, "Basic "); /* 255 bytes of name, then ":" and "b" */
    for (int i = 0; i < 85; i++)
        buf_str(&b, letters);
    buf_str(&b, "OmI=");
    buf_char(&b, '\0');
    assert_true(credentials_read(view_of(b.p), &(struct credentials){ 0 }));
    buf_release(&b);
    buf_str(&b, "Basic "); /* 256 */
    for (int i = 0; i < 85; i++)
        buf_str(&b, letters);
    buf_str(&b, "QTpi");
    buf_char(&b, '\0');
    refused(b.p);
    buf_release(&b);
    buf_str(&b, "Basic ");
    for (int i = 0; i < 4000; i++)
        buf_str(&b, letters);
    buf_char(&b, '\0');
    refused(b.p);
    buf_deinit(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_passwords_come_in_base64),
        cmocka_unit_test(what_is_not_basic_is_refused),
        cmocka_unit_test(what_is_no_base64_is_refused),
        cmocka_unit_test(without_a_colon_there_is_no_password),
        cmocka_unit_test(control_characters_are_refused),
        cmocka_unit_test(long_ones_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
