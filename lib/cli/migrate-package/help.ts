/** The text of `--help`. */
export const HELP = `Packages a backend's Alembic project as the zip of a Lambda function, as the CDK construct does, and prints
what the function needs as JSON. For Terraform, SAM, Pulumi and others: docs/without-cdk.md.

Usage
  migrate-package <folder> --output <file.zip> [options]

Function
  --output, -o <file>       the zip to write
  --architecture <name>     arm64 or x86_64 (default: arm64)
  --python <version>        such as 3.13 (default: the newest that the project and its lock allow)

Package
  --alembic-config <file>   alembic.ini or pyproject.toml, relative to the folder
                            (default: found automatically)
  --requirements <file>     install this file instead of the lock; may be repeated
  --group <name>            also package this dependency group; may be repeated
  --extra <name>            also package this extra; may be repeated
  --without <name>          leave this distribution out; may be repeated
  --add <requirement>       also install this requirement; may be repeated
  --only imported           package only what the migrations import
  --wheels <folder>         use wheels of this folder, relative to the backend's
  --exclude <pattern>       leave out matching files of the backend; may be repeated
  --environment <NAME=value>  variable of the function, to load the package with; may be repeated
  --database-variable <part=NAME>
                            variable that the function fills with the database's address, such as url=DB_URL, or with
                            a part of it: host, port, user, password, database. url with urlScheme=postgresql+asyncpg
                            names the driver; may be repeated (default: url=DATABASE_URL)
  --help, --version

Exit codes
  0    packaged
  1    the backend can't be packaged
  2    the command line is wrong
`;
