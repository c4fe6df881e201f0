import '../examples/template-saas/infra/app';
