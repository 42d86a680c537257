"""What users may write; checked by mypy and pyright, never run."""

from __future__ import annotations

import pulumi

import foundry_agents as fa

project = fa.FoundryProject("support", location="eastus2", tags={"team": "support"})
elsewhere = fa.FoundryProject.existing(
    endpoint="https://acme.services.ai.azure.com/api/projects/demo", principal_id="…"
)
private = fa.FoundryProject(
    "private",
    location="eastus2",
    subdomain="acme-private",
    models=[fa.ModelDeployment("gpt-5-mini", version="2025-08-07", capacity=50)],
    app_insights=fa.AppInsights(retention_days=60),
    public_access=False,
    private_endpoint=fa.PrivateEndpoint("/subscriptions/…/subnets/endpoints", dns_zone_ids=[]),
    opts=pulumi.ResourceOptions(protect=True),
)
traced = fa.FoundryProject(
    "traced",
    location=pulumi.Config().require("location"),
    app_insights=fa.AppInsights.existing(resource_id="…", connection_string=pulumi.Output.secret("…")),
)
private.add_capability_host(storage=[pulumi.Output.from_input("storage")])
private.grant_invoke("…", principal_type="Group", name="team")
elsewhere.grant_invoke("…")

registry = fa.AgentRegistry("images", pulled_by=project)
shared = fa.AgentRegistry.existing(
    "shared",
    login_server="acme.azurecr.io",
    resource_id="…",
    pulled_by=[project, elsewhere],
    permissions="repository",
    connect=True,
    grants=False,
)
shared.grant_push("…", name="pipeline")
borrowed = fa.AgentRegistry("borrowed", pulled_by=elsewhere, resource_group_name="shared", sku="Premium")

image = fa.AgentImage.pinned(pulumi.Output.concat("support@", "sha256:…"), registry=registry)
plain = fa.AgentImage.pinned("acme.azurecr.io/support@sha256:…")
tagged = fa.AgentImage.from_tag("support:stable", registry=registry, check=False)
built = fa.AgentImage.build(
    "built",
    context="agent",
    registry=registry,
    build_args={"BASE_IMAGE": "python:3.14-slim"},
    secrets={"index": pulumi.Output.secret("…")},
    cache="registry",
    rebuild="base of May",
)
elsewhere_built = fa.AgentImage.build("other", context="agent", registry="ghcr.io/acme", builder="remote")
remote = fa.AgentImage.remote_build("remote", context="agent", registry=registry, target="app", timeout_s=900)

agent = fa.HostedAgent(
    "support",
    project=project,
    image=image,
    cpu="1",
    memory="2Gi",
    environment={
        "GREETING": "Hello",
        "TOKEN": fa.ConnectionSecret("github", "token"),
        "KEY": pulumi.Output.secret("…"),
    },
    protocols={"responses": "2.0.0"},
    session_idle_timeout_s=900,
)
large = fa.HostedAgent("large", project=elsewhere, image=plain, tier=fa.Tier.of("4", "8Gi"), force_delete=True)
# The shared options are checked by name and type, as if each stood in the signature.
misspelt = fa.HostedAgent("misspelt", project=elsewhere, image=plain, timeout=60)  # type: ignore[call-arg]
mistyped = fa.HostedAgent("mistyped", project=elsewhere, image=plain, take_over="yes")  # type: ignore[arg-type]

coded = fa.HostedAgent(
    "coded",
    project=elsewhere,
    code=fa.CodePackage(
        "agent", entry_point=["python", "main.py"], runtime=fa.Runtime.PYTHON_3_14, dependency_resolution="remote_build"
    ),
    protocols={fa.AgentProtocol.INVOCATIONS: "2.0.0", fa.AgentProtocol.of("grpc"): "1"},
    rai_policy="strict",
    rai_moderation={"response_mode": "non_streaming", "input_paths": ["$.question"], "output_paths": ["$.answer"]},
    telemetry=[
        {
            "endpoint": "https://otel.example.com:4318",
            "protocol": "Http",
            "data": ["ContainerOtel", "Metrics"],
            "header": {"name": "x-api-key", "secret_id": "otel", "secret_key": "key"},
        }
    ],
    fingerprint_key=pulumi.Output.secret("…"),
)
newest = fa.CodePackage("agent", entry_point=["python", "main.py"], runtime=fa.Runtime.of("python_3_15"))
agent.grant_invoke("…")
agent.grant_invoke(large.principal_id, name="large")
agent.grant_pull(shared)

version = fa.HostedAgentVersion(
    "alone", project_endpoint=elsewhere.endpoint, agent_name="alone", image=plain.reference, cpu=0.5, memory="1Gi"
)
rollout = fa.AgentRollout(
    "alone-rollout", project_endpoint=elsewhere.endpoint, agent_name=version.agent_name, version=version.version
)

fa.export_contract(project, agent, large, registry=registry)
contract = fa.AgentContract.from_stack("acme/foundry-agents/prod")
published: fa.PublishedAgent = contract.agent("support")
pulumi.export("support_url", published.responses_url.apply(str.upper))
pulumi.export("shares", published.traffic.apply(lambda table: sum(table.values())))
pulumi.export("scope", contract.project.resource_id.apply(lambda known: known or "not published"))
guest = fa.HostedAgent("guest", project=contract.project, image=plain)
pulumi.export("host", contract.registry.login_server.apply(str.upper))

learn = fa.ProjectConnection.with_keys(
    "learn", {"Authorization": pulumi.Output.secret("…")}, project=project, target="https://learn.example.com/mcp"
)
faq = fa.VectorStore("faq", project=project, files=["docs/faq.md"])
known = fa.VectorStore("known", project_endpoint=elsewhere.endpoint, files=["docs/faq.md"])
tools = fa.Toolbox(
    "tools",
    project=project,
    tools=[
        fa.CodeInterpreter(memory_limit="4g"),
        fa.FileSearch(vector_store_ids=[faq.vector_store_id, "vs_1"], max_num_results=5),
        fa.Mcp("docs", "https://learn.example.com/mcp", connection=learn, require_approval="never"),
        fa.WebSearch(name="news", allowed_domains=["example.com"]),
        fa.AzureAISearch("products", connection="search", query_type="semantic"),
        fa.OpenApi("orders", {"openapi": "3.1.0"}, audience="https://orders.example.com"),
        fa.A2A(base_url="https://agent.example.com", connection=learn.connection_name),
        fa.Tool.of({"type": "toolbox_search"}),
    ],
    promote=False,
)
sharing = fa.HostedAgent("sharing", project=project, image=image, tools=tools, environment={"KEY": learn.secret("key")})
own = fa.HostedAgent(
    "own", project=elsewhere, image=plain, tools=[fa.CodeInterpreter(), fa.WebSearch()], grant_toolbox_role=False
)
box = fa.ToolboxVersion(
    "box",
    project_endpoint=elsewhere.endpoint,
    toolbox_name="box",
    tools=[fa.CodeInterpreter(), fa.WebSearch().inputs()],
)

pulumi.export("tools", [tools.endpoint, box.default_endpoint, own.toolbox.version if own.toolbox else None])
pulumi.export("endpoint", agent.endpoint)
pulumi.export("traffic", agent.traffic.apply(lambda table: sum(table.values())))
pulumi.export("serving", rollout.serving_version.apply(str.upper))
