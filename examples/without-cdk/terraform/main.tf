# The function that migrates, from the package that migrate-package wrote beside this file.

variable "stage" { type = string }
variable "database_secret_arn" { type = string }
variable "subnet_ids" { type = list(string) }
variable "security_group_ids" { type = list(string) }

terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

locals {
  name    = "shop-api-migrate-lambda-${var.stage}"
  package = jsondecode(file("${path.module}/migrate.json"))
}

resource "aws_lambda_function" "migrate" {
  function_name    = local.name
  filename         = "${path.module}/migrate.zip"
  source_code_hash = local.package.sha256
  handler          = local.package.function.handler
  runtime          = local.package.function.runtime
  architectures    = local.package.function.architectures
  memory_size      = local.package.function.memorySize
  timeout          = local.package.function.timeout
  role             = aws_iam_role.migrate.arn

  vpc_config {
    subnet_ids         = var.subnet_ids
    security_group_ids = var.security_group_ids
  }

  environment {
    variables = {
      CDK_ALEMBIC_SETTINGS = jsonencode({
        stage = var.stage
        allow = []
        database = {
          source    = "secret"
          secretArn = var.database_secret_arn
          variables = { url = "DATABASE_URL" }
        }
      })
    }
  }

  depends_on = [aws_cloudwatch_log_group.migrate, aws_iam_role_policy_attachment.vpc, aws_iam_role_policy.secret]
}

# Lambda repeats a failed asynchronous invoke by default. A migration must not rerun by itself.
resource "aws_lambda_function_event_invoke_config" "migrate" {
  function_name          = aws_lambda_function.migrate.function_name
  maximum_retry_attempts = 0
}

resource "aws_cloudwatch_log_group" "migrate" {
  name              = "/aws/lambda/${local.name}"
  retention_in_days = 365
}

resource "aws_iam_role" "migrate" {
  name = local.name
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" } }]
  })
}

data "aws_partition" "current" {}

resource "aws_iam_role_policy_attachment" "vpc" {
  role       = aws_iam_role.migrate.name
  policy_arn = "arn:${data.aws_partition.current.partition}:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole"
}

resource "aws_iam_role_policy" "secret" {
  name = "read-database-secret"
  role = aws_iam_role.migrate.id
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "secretsmanager:GetSecretValue", Resource = var.database_secret_arn }]
  })
}
