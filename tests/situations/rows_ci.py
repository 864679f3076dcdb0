# SPDX-License-Identifier: MIT
"""Jobs of CI runners. The runner is a shell under the runner's name: what counts is its executable, and how it hands its job the
variables, which is as the real one does."""
from row import row

SH = '#!/bin/sh\nrm -f {d}/a\nsleep 2\n'  # a job's environment is asked for while the job is there


def runner(name, program, script, says, **more):
    row(name, f"setsid -w {{t}}/{program} {{t}}/runner < /dev/null", says, tools={'runner': script, 'step.sh': SH}, prepare=f'cp /bin/dash {{t}}/{program}', never=['run by root'], **more)


runner('CI: a step of GitHub Actions', 'Runner.Worker',  # sets them for the step's shell
       'GITHUB_ACTIONS=true GITHUB_JOB=build GITHUB_WORKFLOW="Ship it" GITHUB_REPOSITORY=acme/shop GITHUB_RUN_ID=4711 bash -e {t}/step.sh\n:\n',
       ['{t}/step.sh, a job of the CI runner GitHub Actions runner (says its environment: job build of acme/shop, workflow Ship it, run 4711), on the host, deleted {d}/a with rm, at'], every=True,
       details=['CI runner GitHub Actions runner (says its environment: job build of acme/shop'],
       log_says=['{t}/step.sh, a job of the CI runner GitHub Actions runner, deleted {d}/a with rm, at'])
runner('CI: a job of GitLab', 'gitlab-runner',  # its shell is given a script on standard input, which exports them
       "HOME={t} bash --login << 'END'\nexport CI_JOB_NAME='test 1/2' CI_JOB_ID=8 CI_PROJECT_PATH=acme/shop\neval 'sleep 2; rm -f {d}/a; :'\nEND\n:\n",
       ['a job of the CI runner GitLab runner (says its environment: job test 1/2 of acme/shop, run 8), on the host, deleted {d}/a with rm, at'])
runner('CI: a job that escapes', 'buildkite-agent', 'BUILDKITE_LABEL="$(printf "a\\033[2Jb")" BUILDKITE_BUILD_NUMBER=12 sh {t}/step.sh\n:\n',
       ['{t}/step.sh, a job of the CI runner Buildkite agent (says its environment: job a\\x1b[2Jb, run 12), on the host, deleted {d}/a with rm, at'])
row('CI: no runner, whatever the environment says', 'GITHUB_JOB=build GITHUB_RUN_ID=1 {t}/step.sh', ['root, at {tty}{from}, deleted {d}/a with rm: /bin/sh {t}/step.sh, at'], tools={'step.sh': SH}, never=['job build'])
