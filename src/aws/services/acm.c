/* Certificate Manager's one operation. */
#include "aws/client/aws_internal.h"

/* Without key types only RSA certificates of up to 2,048 bits are listed. Source: ACM API
 * reference, ListCertificates, Filters. */
static const char *const statuses[] = {"PENDING_VALIDATION", "ISSUED", "INACTIVE"};
static const char *const key_types[] = {"RSA_1024",      "RSA_2048",     "RSA_3072",    "RSA_4096",
                                        "EC_prime256v1", "EC_secp384r1", "EC_secp521r1"};

static const struct node *words(struct arena *a, const char *const *list, size_t n)
{
    struct node *out = node_seq(a);
    for (size_t i = 0; i < n; i++)
        node_push(a, out, node_str(a, str_c(list[i])));
    return out;
}

static const struct node *summary(struct arena *a, const struct node *certificate)
{
    struct node *out = node_map(a), *names = node_seq(a);
    node_push(a, names, node_str(a, text_of(certificate, "DomainName")));
    node_each (name, node_get_c(certificate, "SubjectAlternativeNameSummaries"))
        node_push(a, names, name);
    node_put_str(a, out, "arn", text_of(certificate, "CertificateArn"));
    node_put_c(a, out, "names", names);
    return out;
}

int acm_certificates(struct arena *a, struct aws *aws, const struct node **ret, struct err *err)
{
    struct node *all = node_seq(a);
    const struct node *answer;
    struct pages pages = {0};
    do {
        struct node *body = node_map(a), *includes = node_map(a);
        node_put_c(a, includes, "keyTypes",
                   words(a, key_types, sizeof key_types / sizeof *key_types));
        node_put_c(a, body, "CertificateStatuses",
                   words(a, statuses, sizeof statuses / sizeof *statuses));
        node_put_c(a, body, "Includes", includes);
        if (pages.token.n)
            node_put_str(a, body, "NextToken", pages.token);
        if (aws_json(a, aws, "acm", "ListCertificates", body, &answer, err) < 0)
            return -1;
        node_each (certificate, node_get_c(answer, "CertificateSummaryList"))
            node_push(a, all, summary(a, certificate));
    } while (page_next(&pages, "ListCertificates", text_of(answer, "NextToken"), err));
    *ret = all;
    return err->kind ? -1 : 0;
}
