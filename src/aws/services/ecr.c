/* Container Registry: the repository of a service, and images in it. */
#include "aws/client/aws_internal.h"

#include "aws/services/destroy.h"
#include "base/hash.h"

static const struct node *one(struct arena *a, const struct node *item)
{
    struct node *list = node_seq(a);
    node_push(a, list, item);
    return list;
}

int ecr_repository(struct arena *a, struct aws *aws, struct str name, struct ecr_repository *ret,
                   struct err *err)
{
    struct node *body = node_map(a);
    const struct node *answer;
    node_put_c(a, body, "repositoryNames", one(a, node_str(a, name)));
    if (aws_json(a, aws, "ecr", "DescribeRepositories", body, &answer, err) < 0)
        return -1;
    const struct node *repository = node_path(answer, "repositories.0");
    *ret = (struct ecr_repository){text_of(repository, "repositoryUri"),
                                   text_of(repository, "repositoryArn")};
    return ret->uri.n ? 0
                      : err_set(err, ERR_NOT_FOUND, "there is no repository '%.*s'", STR_ARG(name));
}

int ecr_create(struct arena *a, struct aws *aws, struct str name, bool scan_on_push,
               const struct node *tags, struct ecr_repository *ret, struct err *err)
{
    struct node *body = node_map(a), *list = node_seq(a), *scan = node_map(a);
    const struct node *answer;
    member_each (m, tags) {
        struct node *tag = node_map(a);
        node_put_str(a, tag, "Key", m->key);
        node_put_c(a, tag, "Value", m->value);
        node_push(a, list, tag);
    }
    node_put_str(a, body, "repositoryName", name);
    node_put_c(a, scan, "scanOnPush", node_bool(a, scan_on_push));
    node_put_c(a, body, "imageScanningConfiguration", scan);
    node_put_c(a, body, "tags", list);
    if (aws_json(a, aws, "ecr", "CreateRepository", body, &answer, err) < 0)
        return -1;
    const struct node *repository = node_get_c(answer, "repository");
    *ret = (struct ecr_repository){text_of(repository, "repositoryUri"),
                                   text_of(repository, "repositoryArn")};
    return 0;
}

int ecr_digest(struct arena *a, struct aws *aws, struct str registry, struct str repository,
               struct str tag, struct str *ret, struct err *err)
{
    struct node *body = node_map(a), *id = node_map(a);
    const struct node *answer;
    node_put_str(a, id, "imageTag", tag);
    if (registry.n)
        node_put_str(a, body, "registryId", registry);
    node_put_str(a, body, "repositoryName", repository);
    node_put_c(a, body, "imageIds", one(a, id));
    if (aws_json(a, aws, "ecr", "DescribeImages", body, &answer, err) < 0)
        return -1;
    *ret = text_of(node_path(answer, "imageDetails.0"), "imageDigest");
    return ret->n ? 0 : err_set(err, ERR_NOT_FOUND, "the registry has no such image");
}

int ecr_tags(struct arena *a, struct aws *aws, struct str arn, const struct node **ret,
             struct err *err)
{
    struct node *body = node_map(a), *tags = node_map(a);
    const struct node *answer;
    node_put_str(a, body, "resourceArn", arn);
    if (aws_json(a, aws, "ecr", "ListTagsForResource", body, &answer, err) < 0)
        return -1;
    node_each (tag, node_get_c(answer, "tags"))
        node_put_str(a, tags, str_z(a, text_of(tag, "Key")), text_of(tag, "Value"));
    *ret = tags;
    return 0;
}

int ecr_image_tags(struct arena *a, struct aws *aws, struct str repository, const struct node **ret,
                   struct err *err)
{
    struct pages p = {0};
    struct node *body = node_map(a), *tags = node_seq(a);
    const struct node *answer;
    node_put_str(a, body, "repositoryName", repository);
    do {
        if (aws_json(a, aws, "ecr", "DescribeImages", body, &answer, err) < 0)
            return -1;
        node_each (image, node_get_c(answer, "imageDetails"))
            node_each (tag, node_get_c(image, "imageTags"))
                node_push(a, tags, tag);
        node_put_str(a, body, "nextToken", text_of(answer, "nextToken"));
    } while (page_next(&p, "DescribeImages", text_of(answer, "nextToken"), err));
    *ret = tags;
    return err->kind ? -1 : 0;
}

int ecr_delete(struct arena *a, struct aws *aws, struct str name, struct err *err)
{
    struct node *body = node_map(a);
    node_put_str(a, body, "repositoryName", name);
    node_put_c(a, body, "force", node_bool(a, true));
    if (aws_json(a, aws, "ecr", "DeleteRepository", body, NULL, err) == 0)
        return 0;
    if (err->kind != ERR_NOT_FOUND)
        return -1;
    err_clear(err);
    return 0;
}

int ecr_login(struct arena *a, struct aws *aws, struct str *ret_password, struct err *err)
{
    const struct node *answer;
    if (aws_json(a, aws, "ecr", "GetAuthorizationToken", node_map(a), &answer, err) < 0)
        return -1;
    struct str token = text_of(node_path(answer, "authorizationData.0"), "authorizationToken");
    struct str user;
    if (!base64_decode(a, token, ret_password) || !str_cut(ret_password, ':', &user))
        return err_set(err, ERR_FAILED, "the registry's token is none");
    return 0;
}
