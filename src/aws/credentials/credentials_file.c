/* Keys in ~/.aws/credentials, and in ~/.aws/config. */
#include "aws/client/aws_internal.h"

int credentials_shared_file(struct credential_search *search, struct credentials *ret,
                            struct err *err)
{
    return credentials_from_section(profile_credentials(search->settings, search->profile),
                                    "credentials file", search->profile, ret, err);
}

int credentials_config_file(struct credential_search *search, struct credentials *ret,
                            struct err *err)
{
    return credentials_from_section(profile_config(search->settings, search->profile),
                                    "config file", search->profile, ret, err);
}
