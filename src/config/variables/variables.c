/* The table of variable sources, and the small ones: strToBool, sls, opt, self. */
#include "config/variables/variables.h"

#include "base/clock.h"

const struct source_row variable_sources[] = {{"self", source_self},
                                              {"opt", source_opt},
                                              {"env", source_env},
                                              {"param", source_param},
                                              {"sls", source_sls},
                                              {"file", source_file},
                                              {"strToBool", source_bool},
                                              {"aws", source_aws},
                                              {"cf", source_remote},
                                              {"s3", source_remote},
                                              {"ssm", source_remote},
                                              {"bridged", source_bridged},
                                              {NULL, NULL}};
